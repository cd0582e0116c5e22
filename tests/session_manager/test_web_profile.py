"""One's own profile: name, language, and an address that is checked before it is used."""

from __future__ import annotations

from tests.session_manager.hall import NOW
from tests.session_manager.test_web_self import ME, Island, island

__all__ = ["island"]


async def test_my_profile_and_an_address_that_is_mine_once_its_letter_was_opened(island: Island) -> None:
    store = island.web.store
    me, other = island.person("甲", partner=True), island.person("乙")
    async with island.signed_in(me) as browser, island.signed_in(other) as stranger:
        profile = (await browser.get(f"{ME}/profile")).json()
        assert (profile["name"], profile["mail"], profile["organisation"]) == ("甲", None, "甲の会社")
        english = await browser.patch(f"{ME}/profile", json={"language": "en", "name": "甲二"})
        assert (english.json()["language"], english.json()["name"]) == ("en", "甲二")
        assert (await browser.put(f"{ME}/profile/mail", json={"mail": "a@example.org"})).status_code == 202
        assert store.person("default", me).mail is None
        [letter] = store.claim_notices(NOW, 10)
        code = letter.body.partition("#mail=")[2].split()[0]
        assert (await stranger.post(f"{ME}/profile/mail/confirm", json={"code": code})).status_code == 409
        confirmed = await browser.post(f"{ME}/profile/mail/confirm", json={"code": code})
        assert confirmed.json()["mail"] == "a@example.org"
        assert (await browser.post(f"{ME}/profile/mail/confirm", json={"code": code})).status_code == 409
        assert (await browser.put(f"{ME}/profile/mail", json={"mail": ""})).status_code == 202
        assert store.person("default", me).mail is None
