"""What the platform refuses, each with the code its caller branches on; HTTP statuses are the web's business."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class PlatformError(Exception):
    """A refusal. `code` is snake_case, `str(error)` one plain sentence, `fields` says which input was wrong and why."""

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = "That is not possible."

    def __init__(self, sentence: str = "", *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence or self.sentence)
        self.fields: Mapping[str, str] = dict(fields or {})


class InvalidInput(PlatformError):
    """Some value is not acceptable; `fields` names each."""

    code = "invalid"
    sentence = "Some values are not right."


class NotFound(PlatformError):
    """It does not exist, or the actor may not know that it does."""

    code = "not_found"
    sentence = "There is no such thing, or it is not yours to see."


class Forbidden(PlatformError):
    """The actor may see it but not do that."""

    code = "forbidden"
    sentence = "You may not do that."


class BadCredentials(PlatformError):
    """No such account, or not its password; nobody learns which."""

    code = "bad_credentials"
    sentence = "User name or password is wrong."


class Suspended(PlatformError):
    """Said only to somebody who knows the password."""

    code = "suspended"
    sentence = "This account is suspended; ask your administrator."


class TooManyAttempts(PlatformError):
    """`retry_after`: whole seconds until another attempt is looked at."""

    code = "too_many_attempts"
    sentence = "Too many attempts; try again later."

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class UsernameTaken(PlatformError):
    """Somebody has that user name."""

    code = "username_taken"
    sentence = "That user name is taken."

    def __init__(self) -> None:
        super().__init__(fields={"username": self.sentence})


class SignupOff(PlatformError):
    """Self-registration is switched off."""

    code = "signup_off"
    sentence = "Accounts are created by an administrator here."


class LastAdministrator(PlatformError):
    """Somebody has to be able to administer the platform."""

    code = "last_administrator"
    sentence = "This is the last administrator; make somebody else one first."


class LastOwner(PlatformError):
    """Somebody has to own the team."""

    code = "last_owner"
    sentence = "This is the last owner of the team; make somebody else one first."


class AlreadyMember(PlatformError):
    """The person invited belongs to the team already."""

    code = "already_member"
    sentence = "That person is a member of this team already."

    def __init__(self) -> None:
        super().__init__(fields={"username": self.sentence})


class AlreadyInvited(PlatformError):
    """The person has an invitation to this team that waits for an answer."""

    code = "already_invited"
    sentence = "That person has been invited already."

    def __init__(self) -> None:
        super().__init__(fields={"username": self.sentence})


class FlowsInvalid(PlatformError):
    """The file is no Node-RED flows file."""

    code = "flows_invalid"
    sentence = "This is not a Node-RED flows file."

    def __init__(self, why: str) -> None:
        super().__init__(f"This is not a Node-RED flows file: {why}.", fields={"flows": why})


class FlowsTooLarge(PlatformError):
    """The file is larger than allowed."""

    code = "too_large"
    sentence = "A flows file may have at most 5 MB."


class SetupAdminExists(PlatformError):
    """Somebody else was quicker."""

    code = "setup_admin_exists"
    sentence = "Somebody else has just created the administrator; sign in as that."


class SetupFinished(PlatformError):
    """Set-up is over."""

    code = "setup_finished"
    sentence = "The set-up has been finished already."


class SetupUnfinished(PlatformError):
    """An earlier step of the set-up is missing, or the set-up as a whole."""

    code = "setup_unfinished"
    sentence = "The set-up is not finished yet."
