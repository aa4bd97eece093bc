"""What a reform moves: every pointer declared so, the rights of groups, and what belongs along.

Whole departments move whole. When only a part goes (分设、职能划转) the caller names rows, and what
is about them follows.
"""

from apps.accounts.reform.following import choosable
from apps.accounts.reform.rights import move_rights
from apps.accounts.reform.share import Share
from apps.accounts.reform.shares import Selection, overlap, part, whole, without
from apps.accounts.reform.telling import Clash, MovingRows, clashes, described

__all__ = [
    "Clash",
    "MovingRows",
    "Selection",
    "Share",
    "choosable",
    "clashes",
    "described",
    "move_rights",
    "overlap",
    "part",
    "whole",
    "without",
]
