"""Whom a change of a key would break: recorded requests, judged before and after it. Pure.

    replay(history, access, change, identity={}) -> ReplayResult

``access`` is a ``KeyAccess`` (``key_changes.py``: the key's policy, grants and facts); ``change`` one of
``PolicyChange``, ``GrantRemoval``, ``StateChange`` and ``AliasRepointing`` there; ``history`` a
``RequestHistory`` that was read with ``details_for(access, change)``. The result (``replay_result.py``) has
``refused``, ``allowed`` and ``undecided``, each a tuple of ``AffectedRequest`` with its reason, and
``coverage``; with the IAM policies of its ``unread_callers`` as ``identity`` a second replay decides more.
``kms_tui.denials.replay_reading`` reads both through a connection.
"""

from kms_tui.evidence.change_replay.key_changes import (
    AliasRepointing,
    GrantRemoval,
    KeyAccess,
    KeyChange,
    PolicyChange,
    StateChange,
    details_for,
)
from kms_tui.evidence.change_replay.replay_judge import replay
from kms_tui.evidence.change_replay.replay_result import AffectedRequest, ReplayResult

__all__ = [
    "AffectedRequest",
    "AliasRepointing",
    "GrantRemoval",
    "KeyAccess",
    "KeyChange",
    "PolicyChange",
    "ReplayResult",
    "StateChange",
    "details_for",
    "replay",
]
