"""Population-based training over leagues, role by role.

Members are whole leagues with folders of their own (RUN/population/member_K). They train the same number of updates,
then wait for each other; in the round that follows their players meet on equal terms (`tournament`), the worst of each
role go on from the best of the same role with changed numbers (`evolution`), and the round is written down before it
is carried out (`ledger`, `members`). Tune keeps the trials and lets them wait (`trial`, `scheduler`).
"""
