"""A folder to the hub, or to what HF_ENDPOINT names, by huggingface_hub.

Promises a private repository unless asked otherwise, that none that exists is written into, and that a folder stays
where its upload fails.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from grpo.errors import BadInput, HostFailed

__all__ = ["check_upload", "upload"]


def check_upload(name: str) -> str:
    """Check, before anything is written, that an upload can be tried; the token.

    Raises: BadInput for a name that the hub does not take, and where no token is given.
    """
    from huggingface_hub import get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise BadInput(f"--push {name}: {error}") from None
    if not (token := get_token()):
        raise BadInput("--push needs a token that may write: set HF_TOKEN, or log in with `hf auth login`")
    return token


def upload(folder: Path, name: str, *, token: str, private: bool, message: str) -> str:
    """Make a repository and upload a folder into it in one commit; the repository's address.

    Args:
        folder: What to upload.
        name: NAME, or ORGANISATION/NAME.
        token: Of an account that may make it.
        private: Whether nobody else may see it.
        message: Of the commit.
    Raises:
        BadInput: Where the repository exists, or the token is refused.
        HostFailed: Where the hub cannot be reached or refuses; the folder stays.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api, again = HfApi(token=token), by_hand(name, folder, private=private)
    try:
        made = api.create_repo(name, repo_type="model", private=private, exist_ok=False)
        api.upload_folder(repo_id=made.repo_id, folder_path=folder, repo_type="model", commit_message=message)
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status == 409:
            raise BadInput(
                f"--push {name}: it exists already; give another name, or write into it with {again}"
            ) from None
        if status in (401, 403):
            raise BadInput(f"--push {name}: the token is refused ({error}); {folder} is kept") from None
        raise HostFailed(f"--push {name} failed: {error}. Try again: {again}") from error
    except Exception as error:  # whatever the hub's HTTP library raises; which one that is depends on its version
        raise HostFailed(f"--push {name} failed: {error}. Try again: {again}") from error
    return str(made)


def by_hand(name: str, folder: Path, *, private: bool) -> str:
    """The command that uploads a folder that is there; a repository that it makes is as private as asked.

    >>> by_hand("me/mine", Path("runs/a b/hub"), private=True)
    "`hf upload me/mine 'runs/a b/hub' --private`"
    """
    return f"`{shlex.join(['hf', 'upload', name, str(folder), *(['--private'] if private else [])])}`"
