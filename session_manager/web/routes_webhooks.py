"""Webhooks of a municipality: add (the secret is shown this once), list, try, switch on again, remove."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from session_manager.access import Action
from session_manager.errors import NotPermitted
from session_manager.fetch import target_of
from session_manager.store.hooks import DeliveryRow, Webhook
from session_manager.web.context import ContextDep, permit
from session_manager.web.forms import Form, Identifier
from session_manager.webhooks import secret_of

router = APIRouter(prefix="/api/municipalities/{municipality_id}/webhooks", tags=["webhooks"])
_RULES = [permit(Action.CHANGE_RULES)]

EventName = Annotated[str, StringConstraints(pattern=r"^(\*|(booking|session|webhook)\.(\*|[a-z_]{1,40}))$")]


class NewWebhook(Form):
    """`url`: https on port 443, or a host of the house's own that the operator listed. `events`: like `booking.*`."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    events: Annotated[tuple[EventName, ...], Field(min_length=1, max_length=50)] = ("*",)


@dataclass(frozen=True, slots=True)
class MadeWebhook:
    """`secret` is shown this once: the receiver checks signatures with it (Standard Webhooks).

    A message can come more than once; its header `webhook-id` is the same each time: drop what was taken before.
    """

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True)
class TestSent:
    message_id: str


@router.get("", dependencies=_RULES, summary="Webhooks, and how they do")
async def webhooks(municipality_id: Identifier, context: ContextDep) -> list[Webhook]:
    return await asyncio.to_thread(context.store.webhooks, municipality_id)


@router.post("", dependencies=_RULES, status_code=201, summary="Add a webhook")
async def add(municipality_id: Identifier, form: NewWebhook, context: ContextDep) -> MadeWebhook:
    if target_of(form.url, context.settings.webhook_hosts) is None:
        raise NotPermitted("Messages go to https addresses on port 443, or to hosts that the operator listed.")
    made = await asyncio.to_thread(context.store.add_webhook, municipality_id, form.url, form.events, context.clock())
    return MadeWebhook(made, secret_of(context.settings.secret, made.webhook_id))


@router.delete("/{webhook_id}", dependencies=_RULES, status_code=204, summary="Remove a webhook")
async def remove(municipality_id: Identifier, webhook_id: Identifier, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.remove_webhook, municipality_id, webhook_id)


@router.post("/{webhook_id}/test", dependencies=_RULES, status_code=202, summary="Send a test message")
async def test(municipality_id: Identifier, webhook_id: Identifier, context: ContextDep) -> TestSent:
    made = await asyncio.to_thread(context.store.try_webhook, municipality_id, webhook_id, context.clock())
    return TestSent(made)


@router.post("/{webhook_id}/enable", dependencies=_RULES, summary="Switch it on again")
async def enable(municipality_id: Identifier, webhook_id: Identifier, context: ContextDep) -> Webhook:
    return await asyncio.to_thread(context.store.enable_webhook, municipality_id, webhook_id, context.clock())


@router.get("/{webhook_id}/deliveries", dependencies=_RULES, summary="What was sent, and what waits")
async def deliveries(municipality_id: Identifier, webhook_id: Identifier, context: ContextDep) -> list[DeliveryRow]:
    return await asyncio.to_thread(context.store.deliveries, municipality_id, webhook_id)
