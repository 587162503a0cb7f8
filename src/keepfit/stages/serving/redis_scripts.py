"""What Redis does in one step, in its own Lua. KEYS[1] begins every key, so that a cluster keeps a model's in one place.

- `generation`: hash, kind and table -> the key of the lake's rows, a space, the columns of a block as JSON
- `rows:<id>`: hash, entity -> a block, or the versions of a record as JSON
- `posted:<entity>`: hash, order of arrival -> table, line end, row as JSON; `times:<table>`: the same by time
- `covered`, `reached`: hashes by table; `receipt:<key>`: hash; `arrivals`: counter; `filled`
- `taken`: counter of the publications that took posted rows away
"""

from __future__ import annotations

BLOCK, RECORD = "b", "r"
EMPTY = "none"
"""In the place of a key where a table has no rows."""
ANOTHER_BODY = -1

# entity; of its posted rows, those after an arrival are enough if there are more than some and none was taken away since a mark
READ = """
local held, tables = {}, redis.call('HGETALL', KEYS[1] .. 'generation')
for i = 1, #tables, 2 do
  local found = redis.call('HGET', KEYS[1] .. string.match(tables[i + 1], '^%S+'), ARGV[1])
  if found then
    held[#held + 1] = tables[i]
    held[#held + 1] = tables[i + 1]
    held[#held + 1] = found
  end
end
local mark, posted = redis.call('GET', KEYS[1] .. 'taken') or '0', KEYS[1] .. 'posted:' .. ARGV[1]
local covered, found = redis.call('HVALS', KEYS[1] .. 'covered'), {}
if mark ~= ARGV[2] or ARGV[4] == '0' then
  found = redis.call('HGETALL', posted)
elseif redis.call('HLEN', posted) > tonumber(ARGV[4]) then
  for _, arrival in ipairs(redis.call('HKEYS', posted)) do
    if arrival > ARGV[3] then
      found[#found + 1] = arrival
      found[#found + 1] = redis.call('HGET', posted, arrival)
    end
  end
end
return {held, found, mark, covered}
"""

REACH = """
local function reach(name, at)
  local before = redis.call('HGET', KEYS[1] .. 'reached', name)
  if not before or before < at then redis.call('HSET', KEYS[1] .. 'reached', name, at) end
end
"""

# kind, table, key of its rows, columns, until, reached, covered
PUT = f"""
{REACH}
local kind, name, rows, columns, before, reached, covered = unpack(ARGV)
if rows ~= '{EMPTY}' and redis.call('PERSIST', KEYS[1] .. rows) == 0 then
  return redis.error_reply('ERR the rows of a publication are gone; publish again')
end
local old = redis.call('HGET', KEYS[1] .. 'generation', kind .. name)
redis.call('HSET', KEYS[1] .. 'generation', kind .. name, rows .. ' ' .. columns)
if old then redis.call('UNLINK', KEYS[1] .. string.match(old, '^%S+')) end
if before ~= '' then
  local times = KEYS[1] .. 'times:' .. name
  for _, one in ipairs(redis.call('ZRANGEBYLEX', times, '-', '(' .. before)) do
    redis.call('HDEL', KEYS[1] .. 'posted:' .. string.sub(one, 33), string.sub(one, 17, 32))
  end
  if redis.call('ZREMRANGEBYLEX', times, '-', '(' .. before) > 0 then redis.call('INCR', KEYS[1] .. 'taken') end
end
redis.call('HSET', KEYS[1] .. 'covered', name, covered)
if reached ~= '' then reach(name, reached) end
return 1
"""

# key of a receipt, its digest, when it came, how long it counts (microseconds, seconds); then entity, table, content, time of each
POST = f"""
{REACH}
if ARGV[1] ~= '' then
  local key = KEYS[1] .. 'receipt:' .. ARGV[1]
  local held = redis.call('HMGET', key, 'digest', 'at')
  if held[1] and tonumber(ARGV[3]) - tonumber(held[2]) <= tonumber(ARGV[4]) then
    return held[1] == ARGV[2] and 0 or {ANOTHER_BODY}
  end
  redis.call('HSET', key, 'digest', ARGV[2], 'at', ARGV[3])
  redis.call('EXPIRE', key, ARGV[5])
end
for i = 6, #ARGV, 4 do
  local arrival = string.format('%016d', redis.call('INCR', KEYS[1] .. 'arrivals'))
  redis.call('HSET', KEYS[1] .. 'posted:' .. ARGV[i], arrival, ARGV[i + 2])
  redis.call('ZADD', KEYS[1] .. 'times:' .. ARGV[i + 1], 0, ARGV[i + 3] .. arrival .. ARGV[i])
  reach(ARGV[i + 1], ARGV[i + 3])
end
return 1
"""

ROWS = """
local posted = {}
for _, name in ipairs(redis.call('HKEYS', KEYS[1] .. 'reached')) do
  local count = redis.call('ZCARD', KEYS[1] .. 'times:' .. name)
  if count > 0 then
    posted[#posted + 1] = name
    posted[#posted + 1] = count
  end
end
return {redis.call('HGETALL', KEYS[1] .. 'covered'), posted}
"""
