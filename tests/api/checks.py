"""What Schemathesis cannot know: the codes of docs/errors.md, and that a cursor is ours to make."""

import re
from pathlib import Path

import schemathesis

ERRORS = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()
DOCUMENTED = {
    (code, int(status))
    for code, statuses in re.findall(r"^\| `(\w+)` \| ([\d, ]+) \|", ERRORS, re.MULTILINE)
    for status in statuses.split(",")
}


@schemathesis.check
def problem_is_documented(ctx, response, case):
    if response.status_code < 400 or response.status_code == 431:
        return
    code = response.json()["code"]
    assert (code, response.status_code) in DOCUMENTED, f"{response.status_code} `{code}` is not in docs/errors.md"
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    # It writes bytes of its own between the boundaries of a form, and calls that valid: a part has a name (RFC 7578).
    sent = response.request
    if "multipart/" in sent.headers.get("Content-Type", "") and b"Content-Disposition" not in (sent.body or b""):
        is_valid = False
    assert response.status_code != 400 or not is_valid or code == "invalid_cursor", f"`{code}` to a valid request"
