"""Each test file says what it needs; shared scripted fakes ship in the packages.

Where a change is judged (CI is set) Hypothesis tries the same cases each time; elsewhere it looks for new ones.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("judged", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("judged")
