"""What every form refuses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from session_manager.web.forms import Login


def test_no_form_takes_the_letter_that_one_database_would_keep_and_the_other_not() -> None:
    assert Login(name="office", password="secret").name == "office"
    with pytest.raises(ValidationError, match=r"U\+0000"):
        Login(name="off\0ice", password="secret")
