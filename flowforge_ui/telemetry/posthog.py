"""The PostHog sink: whole batches through the SDK's own transport. The one file that imports posthog.

The SDK's client with its queue and threads is not used: it forgets what it holds when the process dies or the host
is down. The outbox does the waiting; of the SDK remains what knows PostHog's wire.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import requests
from posthog.request import APIError, batch_post, determine_server_host

from .sinks import SinkError
from .values import uuid_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .event import Event

TIMEOUT_SECONDS = 10.0
MAX_ANSWER = 64 * 1024
MISCONFIGURED_RETRY_SECONDS = 300.0
_TAKEN = (1, "1", "ok", "Ok", "OK")


class PostHogSink:
    """Delivers to the project of `apikey` at `host`: EU, US (either address of the cloud) or one's own."""

    name = "posthog"
    batch = 200
    """At about 1.5 KB an event, below the 1 MB that a self-hosted PostHog's proxy usually takes."""

    def __init__(self, apikey: str, host: str, *, proxy: str | None = None, timeout: float = TIMEOUT_SECONDS) -> None:
        self._apikey, self._host, self._timeout = apikey, determine_server_host(host), timeout
        self._session = _Session(timeout)
        if proxy:
            self._session.proxies = {"http": proxy, "https": proxy}

    def deliver(self, events: Sequence[Event]) -> None:
        """Returns when PostHog has said that it took all; raises SinkError in every other case."""
        try:
            answer = batch_post(
                self._apikey,
                self._host,
                gzip=True,
                timeout=self._timeout,  # seconds, for connecting and for each read
                batch=[message(event) for event in events],
                session=self._session,
            )
        except APIError as error:
            raise _refusal(error) from None
        except requests.exceptions.ProxyError as error:
            raise _silent(f"The proxy does not let it through: {_short(error)}") from None
        except requests.exceptions.SSLError as error:
            raise _silent(f"No secure connection: {_short(error)}") from None
        except requests.exceptions.Timeout:
            raise _silent(f"No answer within {self._timeout:g} seconds") from None
        except requests.exceptions.RequestException as error:
            raise _silent(f"PostHog cannot be reached: {_short(error)}") from None
        _check_taken(answer.content)

    def close(self) -> None:
        self._session.close()


def message(event: Event) -> dict[str, Any]:
    """An event in PostHog's words. Whatever was fixed when it was recorded stays: uuid, time, subject.

    No `$ip`: none is known here, and PostHog is told not to derive a place from the address of this server.
    """
    properties: dict[str, Any] = dict(event.properties)
    properties.setdefault("$lib", "flowforge")
    # Anonymous identifiers are UUIDs, pseudonyms and user names are not.
    properties.setdefault("$process_person_profile", uuid_text(event.distinct_id) is None)
    properties["$geoip_disable"] = True
    return {
        "event": event.name,
        "uuid": event.uuid,
        "distinct_id": event.distinct_id,
        "timestamp": datetime.fromtimestamp(event.timestamp / 1000, UTC).isoformat(timespec="milliseconds"),
        "properties": properties,
    }


class _Session(requests.Session):
    """Bounded: no redirects, no retries, no .netrc, at most MAX_ANSWER bytes of answer."""

    def __init__(self, total: float) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["Accept-Encoding"] = "identity"
        self._total = total

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        # A redirected POST would arrive as a GET without its events, and its 200 would look like success.
        options |= {"allow_redirects": False, "stream": True}
        deadline = time.monotonic() + self._total
        response = super().request(method, url, *args, **options)
        response._content = _read(response, deadline)  # noqa: SLF001 -- requests has no bounded way to read
        return response


def _read(response: requests.Response, deadline: float) -> bytes:
    content = b""
    try:
        while chunk := response.raw.read1(MAX_ANSWER, decode_content=False):
            content += chunk
            if len(content) > MAX_ANSWER or time.monotonic() > deadline:
                break
        else:
            return content
    except Exception as error:
        raise requests.exceptions.ConnectionError(f"the answer broke off: {error}") from error
    finally:
        response.close()
    return content[:MAX_ANSWER]


def _refusal(error: APIError) -> SinkError:
    status = int(error.status)
    if status in {401, 403}:
        # The key is wrong, not the events: they wait until somebody has put it right.
        return _passing(f"PostHog refuses the project key ({status})", MISCONFIGURED_RETRY_SECONDS)
    if status in {400, 413, 422}:
        return SinkError(f"PostHog refuses it ({status}): {error.message[:200]}", permanent=True)
    if status in {408, 429} or status >= 500:
        return _passing(f"PostHog answers {status}", error.retry_after)
    # Redirects, 404, 405, ...: whatever answers there is no PostHog.
    return _passing(f"The host answers {status}; is it PostHog?", MISCONFIGURED_RETRY_SECONDS)


def _check_taken(content: bytes) -> None:
    """200 alone proves nothing: log-in pages and captive portals say it too. PostHog says it in JSON.

    Taking it for a failure loses nothing: sent again, an event has the same uuid, and PostHog keeps one.
    """
    try:
        answer: Mapping[str, Any] = orjson.loads(content)
        taken = answer.get("status") in _TAKEN
        limited = "events" in (answer.get("quota_limited") or ())
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        raise _passing("The host answers 200 without PostHog's confirmation; is it PostHog?") from None
    if limited:
        raise _passing("PostHog's quota for events is used up", MISCONFIGURED_RETRY_SECONDS)
    if not taken:
        raise _passing("The host answers 200 without PostHog's confirmation; is it PostHog?")


def _passing(text: str, retry_after: float | None = None) -> SinkError:
    return SinkError(text, permanent=False, retry_after=retry_after)


def _silent(text: str) -> SinkError:
    return SinkError(text, permanent=False, silent=True)


def _short(error: Exception) -> str:
    """The innermost cause, without addresses of memory."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return f"{type(cause).__name__}: {cause}"[:200]
