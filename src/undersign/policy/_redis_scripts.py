"""What is asked of a Redis server: scripts, so that each question is one step.

No other client comes between checking and recording, and no restart either. All keys of a question are in one slot of
a cluster. The key comes back with the answer, so that an answer to another request cannot be taken for this one's.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

COMMANDS = "+evalsha +eval +info +time +get +set +zcount +zadd +zremrangebyscore +pttl +pexpire"
"""The ACL rules for all that is used, here and to run it."""

# A script that may not run a command is told so without its name, so it is put in here.
_CALL = """
local function call(...)
    local answer = redis.pcall(...)
    if type(answer) ~= 'table' or answer.err == nil then
        return answer
    end
    if string.find(answer.err, "can't run this command", 1, true) or string.find(answer.err, 'no permissions', 1, true)
    then
        error("NOPERM no permission to run the '" .. string.lower((...)) .. "' command", 0)
    end
    return redis.call(...)
end
"""

# The birth of the store is a moment, which three clocks tell: that of the host which asked first (`born`), that of
# Redis (`clock_then`), and this host's, by which it was no later than when this host first saw the marker (`seen_at`).
# A birth that is told too early lets replays in, one that is told too late keeps good requests out. So this host's
# clock has the last word where it agrees with Redis's, and none where those of the others agree without it: one clock
# that is wrong does no harm then. Where Redis's clock is the odd one, the hosts' do without it.
ADMIT = (
    _CALL
    + """
local marker, signature, share = KEYS[1], KEYS[2], KEYS[3]
local now, since, ends, max_uses = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local durable, question, seen, seen_at, tolerance = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local per_key = tonumber(ARGV[10])
if string.match(call('INFO', 'memory'), 'maxmemory_policy:(%S+)') ~= 'noeviction' then
    return {'evicts', signature, '', ''}
end
local run = string.match(call('INFO', 'server'), 'run_id:(%S+)')
local time = call('TIME')
local clock = tonumber(time[1]) + tonumber(time[2]) / 1000000

local known = call('GET', marker) or ''
local of_run, born, clock_then = string.match(known, '^(%S+) (%S+) ?(%S*)$')
if born == nil or (of_run ~= run and durable == '0') then
    born, clock_then = string.format('%.0f', math.ceil(now)), string.format('%.0f', math.ceil(clock))
    known = run .. ' ' .. born .. ' ' .. clock_then
    call('SET', marker, known)
end
born, clock_then = tonumber(born), tonumber(clock_then)
local we_agree = math.abs(now - clock) <= tolerance
local they_agree = clock_then ~= nil and math.abs(born - clock_then) <= tolerance
if we_agree or not they_agree then
    born = math.min(born, known == seen and seen_at or math.ceil(now))
end
if we_agree and clock_then ~= nil then
    born = math.max(born, clock_then)
end

-- A question that comes twice, since its answer was lost on the way, is no replay.
local uses, last = string.match(call('GET', signature) or '0', '^(%d+) ?(%S*)$')
uses = tonumber(uses)
if uses > 0 and last == question then
    return {'new', signature, known, time[1]}
end
if uses >= max_uses then
    return {'seen', signature, known, time[1]}
end
if since < born then
    return {'young', signature, known, time[1]}
end
-- By the later of the two clocks, for a host whose clock is ahead would have it forgotten early; a day more at most.
local left = ends - now
left = math.max(left, math.min(ends - clock, left + 86400))
local milliseconds = string.format('%.0f', math.ceil(left * 1000))
-- A sorted set for each key id, by when its signatures are forgotten: memory is what one key could fill for all.
local this_moment = string.format('%.3f', clock)
if uses == 0 and call('ZCOUNT', share, this_moment, '+inf') >= per_key then
    return {'full', signature, known, time[1]}
end
-- The first to write: a server whose memory is full refuses a script at its first write, and none of the later ones.
call('SET', signature, string.format('%d %s', uses + 1, question), 'PX', milliseconds)
if uses == 0 then
    local longest = math.max(call('PTTL', share), tonumber(milliseconds))
    call('ZADD', share, string.format('%.3f', clock + left), string.sub(signature, -16))
    call('ZREMRANGEBYSCORE', share, '-inf', '(' .. this_moment)
    call('PEXPIRE', share, string.format('%.0f', longest))
end
return {'new', signature, known, time[1]}
"""
)

INITIALIZE = (
    _CALL
    + """
local run = string.match(call('INFO', 'server'), 'run_id:(%S+)')
call('SET', KEYS[1], run .. ' ' .. ARGV[1])
return 1
"""
)

# Every command that a question needs, so that what is not allowed shows before the first request.
CHECK = (
    _CALL
    + """
local policy = string.match(call('INFO', 'memory'), 'maxmemory_policy:(%S+)')
local aof = string.match(call('INFO', 'persistence'), 'aof_enabled:(%S+)')
call('TIME')
call('GET', KEYS[1])
call('SET', KEYS[2], '0', 'PX', '1')
call('ZADD', KEYS[3], 0, '0')
call('ZREMRANGEBYSCORE', KEYS[3], '-inf', 0)
call('ZCOUNT', KEYS[3], 0, '+inf')
call('PTTL', KEYS[3])
call('PEXPIRE', KEYS[3], 1)
return {policy or '', aof or ''}
"""
)


class Asker:
    """A sync client that scripts are asked of. It does not show in the repr, as clients show passwords."""

    __slots__ = ("client",)

    def __init__(self, client: Any) -> None:
        self.client = client

    def __call__(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        try:
            return self.client.evalsha(_sha(script), len(keys), *keys, *arguments)
        except Exception as error:
            if not _is_unknown(error):
                raise
        return self.client.eval(script, len(keys), *keys, *arguments)


class AsyncAsker(Asker):
    """The same of an async client."""

    __slots__ = ()

    async def __call__(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        try:
            return await self.client.evalsha(_sha(script), len(keys), *keys, *arguments)
        except Exception as error:
            if not _is_unknown(error):
                raise
        return await self.client.eval(script, len(keys), *keys, *arguments)


@lru_cache
def _sha(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _is_unknown(error: Exception) -> bool:
    return type(error).__name__ == "NoScriptError" or str(error).startswith("NOSCRIPT")
