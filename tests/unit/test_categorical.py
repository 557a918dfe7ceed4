"""The hand-written gradient of log-probability and entropy is the true one."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from policies.categorical import categorical

USES = [use for use in product((False, True), repeat=3) if any(use)]
"""Which of log_probs, taken_log_prob and entropy a loss is made of."""


def example(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    logits = (3.0 * torch.randn(3, 4, 17, dtype=dtype)).requires_grad_()
    return logits, torch.randint(17, (3, 4))


@pytest.mark.parametrize("use", USES)
def test_it_is_what_autograd_makes_of_the_definition(use: tuple[bool, bool, bool]) -> None:
    logits, taken = example(torch.float32)
    plain = torch.distributions.Categorical(logits=logits)
    defined = (logits.log_softmax(-1), plain.log_prob(taken), plain.entropy())
    found = categorical(logits, taken)
    losses = []
    for outputs in (defined, tuple(found)):
        torch.manual_seed(1)
        terms = [(torch.randn_like(output) * output).sum() for output in outputs]
        losses.append(sum(term for term, used in zip(terms, use, strict=True) if used))
    for output, expected in zip(found, defined, strict=True):
        torch.testing.assert_close(output, expected, atol=1e-6, rtol=1e-5)
    expected_gradient, gradient = (torch.autograd.grad(loss, logits, retain_graph=True)[0] for loss in losses)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-5, rtol=1e-5)


def test_its_gradient_is_that_of_finite_differences() -> None:
    logits, taken = example(torch.float64)
    assert torch.autograd.gradcheck(lambda x: tuple(categorical(x, taken)), logits)
