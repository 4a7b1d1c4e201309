-- The beginning of every script: reads the state of the log and starts a new epoch where the log is new, damaged or behind.
-- KEYS[1] is the common prefix of all keys. ARGV[1] is a JSON object: `epoch` and `head` as the node knows them, `newEpoch` for
-- a log that starts over, and the arguments of the script. A reply is a flat list of names and values.

local FORMAT = 2
local args = cjson.decode(ARGV[1])
local meta = KEYS[1] .. ':meta'
local fields = {
  'head', 'time', 'first', 'removals', 'removedThrough', 'removedThroughCount', 'counting', 'counted', 'trimmed', 'keys',
  'writing', 'ends'
}
local stored = redis.call('HMGET', meta, 'epoch', 'format', 'rules', 'deletions', unpack(fields))
local epoch, format, rules, deletions = stored[1], tonumber(stored[2] or '0'), stored[3] or '', stored[4] or ''
if epoch and format > FORMAT then return redis.error_reply('NEWERFORMAT ' .. format) end

local log, keys = {}, {}
for i, name in ipairs(fields) do log[name] = tonumber(stored[i + 4] or '0') end

local function openEpoch()
  for _, name in ipairs({'entries', 'topics', 'ids', 'rules', 'removed', 'traces', 'marks', 'roster'}) do
    keys[name] = KEYS[1] .. ':' .. epoch .. ':' .. name
  end
end

local function countKeys()
  return redis.call('EXISTS', keys.entries, keys.topics, keys.ids, keys.rules, keys.removed, keys.traces, keys.marks, keys.roster)
end

-- A log starts over when Redis lost its newest entries, since their offsets must not be given again; when Redis evicted one of
-- its keys; when a script failed half-way; and when its format is an older one.
local function isIntact()
  if format < FORMAT or log.writing ~= 0 then return false end
  if epoch == args.epoch and log.head < args.head then return false end
  return countKeys() == log.keys
end

local replaced = ''
if epoch then
  openEpoch()
  if not isIntact() then
    replaced = epoch
    epoch = false
  end
end
if not epoch then
  redis.call('DEL', meta)
  epoch, rules, deletions = args.newEpoch, '', ''
  redis.call('HSET', meta, 'epoch', epoch, 'format', FORMAT, 'head', 0, 'first', 1, 'trimmed', 1)
  for _, name in ipairs(fields) do log[name] = 0 end
  log.first, log.trimmed = 1, 1
  openEpoch()
end

-- The clock of Redis, so that a node with a wrong clock neither expires entries early nor dates them ahead. `now` is for tests.
local now = args.now
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function reply(values)
  local list = {
    'epoch', epoch, 'head', log.head, 'first', log.first, 'removals', log.removals, 'removedThrough', log.removedThrough,
    'removedThroughCount', log.removedThroughCount, 'counting', log.counting, 'counted', log.counted, 'rules', rules,
    'replaced', replaced, 'ends', log.ends, 'deletions', deletions, 'garbage', (log.trimmed < log.first or redis.call('EXISTS', keys.removed) == 1) and 1 or 0
  }
  for name, value in pairs(values or {}) do
    list[#list + 1] = name
    list[#list + 1] = value
  end
  return list
end

-- Indexes are sorted sets in lexicographic order. A member is a prefix and an offset of 16 digits; the prefix has the length of its
-- text, so that no text is the beginning of another one.
local function member(prefix, offset) return prefix .. string.format('%016.0f', offset) end
local function offsetIn(name) return tonumber(string.sub(name, -16)) end
local function canonical(topic) return 'c' .. #topic .. ':' .. topic end
local function alternate(topic) return 'a' .. #topic .. ':' .. topic end
local function idPrefix(id) return #id .. ':' .. id end
local function rulePrefix(rule) return rule .. ':' end

-- Offsets from `from` on (the oldest first) or before `from` (the newest first).
local function offsetsFrom(key, prefix, from, count)
  local offsets = redis.call('ZRANGEBYLEX', key, '[' .. member(prefix, from), '(' .. prefix .. ':', 'LIMIT', 0, count)
  for i, name in ipairs(offsets) do offsets[i] = offsetIn(name) end
  return offsets
end

local function offsetsBefore(key, prefix, from, count)
  local offsets = redis.call('ZREVRANGEBYLEX', key, '(' .. member(prefix, from), '[' .. prefix, 'LIMIT', 0, count)
  for i, name in ipairs(offsets) do offsets[i] = offsetIn(name) end
  return offsets
end

local function countOf(key, prefix) return redis.call('ZLEXCOUNT', key, '[' .. prefix, '(' .. prefix .. ':') end

local function streamId(offset) return string.format('%.0f-0', offset) end

-- An entry of the stream has its fields in the order of XADD.
local function readRow(row)
  local values = row[2]
  return {offset = tonumber(string.match(row[1], '^%d+')), time = tonumber(values[2]), size = tonumber(values[4]), topics = values[6], id = values[8]}
end

-- Rows without those that retention removed and compaction has not deleted yet.
local function withoutRemoved(rows)
  if #rows == 0 or redis.call('EXISTS', keys.removed) == 0 then return rows end
  local a, b = string.match(rows[1][1], '^%d+'), string.match(rows[#rows][1], '^%d+')
  local isRemoved, kept = {}, {}
  local low, high = math.min(a, b), math.max(a, b)
  for _, offset in ipairs(redis.call('ZRANGEBYSCORE', keys.removed, low, high)) do isRemoved[offset] = true end
  for _, row in ipairs(rows) do
    if not isRemoved[string.match(row[1], '^%d+')] then kept[#kept + 1] = row end
  end
  return kept
end
