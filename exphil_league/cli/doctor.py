"""`doctor`: is this machine able to do what the user wants?"""

from __future__ import annotations

from dataclasses import dataclass

from exphil_league.cli.command import SHORT_OF_THRESHOLD, Command, Outcome


@dataclass(frozen=True)
class Doctor(Command):
    """Check Python, packages, the compile cache and the machine; exit status 1 if something is missing."""

    def run(self) -> Outcome:
        from exphil_league.observe.console import say
        from exphil_league.observe.doctor import examine

        findings = examine()
        for finding in findings:
            say(f"{'ok     ' if finding.ok else 'MISSING'} {finding.subject}: {finding.detail}")
        result = {"ok": all(f.ok for f in findings), "findings": [f.as_json() for f in findings]}
        return Outcome(result, 0 if result["ok"] else SHORT_OF_THRESHOLD)
