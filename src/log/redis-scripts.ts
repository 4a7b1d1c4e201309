// The scripts that run inside Redis, where nothing comes between two of their steps: appending with all that follows from
// it, keeping house, and looking. They know nothing of selectors, which need JavaScript.
import { createHash } from 'node:crypto'
import { keeping } from './redis-keeping.ts'
import { common, enrolling } from './redis-lua.ts'
import { marking } from './redis-marking.ts'

export interface Script {
  readonly text: string
  readonly sha: string
}

/**
 * Appends a batch, and trims. It declares no flags, so that Redis refuses it as a whole where it has no memory left
 * ['allow-oom' in the manual of Lua scripts]. Arguments from 4 on: the rules as text, bounds, time; how many appends have marks, and
 * each of these as below; how many updates, and for each its rule, size, whether it is private, id, the rest as JSON, who comes or
 * goes, how many topics, and these. Where an update is left out, the answer ends with what became of each: empty, or why it is not appended.
 */
const append = `${common}${keeping}${marking}${enrolling}
local rules = redis.call('HGET', meta, 'rules')
if not rules then
  redis.call('HSET', meta, 'rules', ARGV[4])
elseif rules ~= ARGV[4] then
  return {state(), 'rules', 0}
end
local bounds, now = cjson.decode(ARGV[5]), tonumber(ARGV[6])
local left, twins, marks, at = findRepeated(7)
local count = tonumber(ARGV[at])
local offsets, texts = {}, {}
at = at + 1
m.time = math.max(m.time, now)
for i = 1, count do
  local change, topics = ARGV[at + 5], tonumber(ARGV[at + 6])
  if change ~= '' and not enroll(ARGV[at + 7], change) then left[i] = 'known' end
  if not left[i] then
    local rule, size, private, id, json = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    m.head = m.head + 1
    local key, b = {private}, bounds[rule + 1]
    for j = 2, topics + 1 do
      key[j] = ARGV[at + 5 + j]
      if b and b[1] > 0 then redis.call('ZADD', placeOf(key, j), m.head, m.head)
      else file(placeOf(key, j), m.head, true) end
    end
    if id ~= '' then redis.call('RPUSH', space .. 'i:' .. id, m.head) end
    -- Those of one topic are told apart by it; a batch has many of them.
    local text = topics == 1 and texts[private .. key[2]] or cjson.encode(key)
    if topics == 1 then texts[private .. key[2]] = text end
    redis.call('XADD', entries, m.head .. '-0', 't', m.time, 'z', size, 'k', text, 'i', id, 'u', json)
    if marks[i] then remember(marks[i]) end
    add(m.head, rule, size, key[2], bounds, true)
    offsets[i] = m.head
  end
  at = at + 7 + topics
end
local outcomes = {}
if next(left) then
  for i = 1, count do outcomes[i] = left[i] or '' end
  for i, first in pairs(twins) do outcomes[i] = 'repeated ' .. offsets[first] .. ' ' .. m.time end
end
local unfinished = trim(bounds, now, 2 * count + 250)
finish()
return {state(), 'kept', m.time, unfinished, outcomes}
`

/**
 * Keeps house: `renew`, a node's lease, by the clock of Redis; `trim`; `retain`, other rules from now on; `page`, entries that are yet to
 * be counted under them; `count`. Until all are counted nothing is trimmed. It needs no memory to speak of, and may run where there is
 * none left.
 */
const keep = `#!lua flags=allow-oom
${common}${keeping}
local verb = ARGV[4]
if verb == 'renew' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', space .. 'nodes', '-inf', now)
  redis.call('ZADD', space .. 'nodes', now + ARGV[6], ARGV[5])
  return {state(), redis.call('ZRANGE', space .. 'nodes', 0, -1)}
end
if verb == 'retain' then
  if redis.call('HGET', meta, 'rules') ~= ARGV[5] then
    for at = 0, 999 do
      if redis.call('DEL', ruled(at)) + redis.call('HDEL', meta, 'bytes:' .. at) == 0 and at > 99 then break end
    end
    redis.call('HSET', meta, 'rules', ARGV[5])
    m.version = m.version + 1
    m.counting = m.first <= m.head and m.head or 0
    m.counted = 0
    save()
  end
  return {state()}
end
if verb == 'page' then
  local page = {}
  local from, to = '(' .. m.counted .. '-0', m.counting .. '-0'
  if m.counting == 0 then return {state(), page} end
  for _, entry in ipairs(redis.call('XRANGE', entries, from, to, 'COUNT', 250)) do
    page[#page + 1] = {string.match(entry[1], '^%d+'), cjson.decode(entry[2][6])[2]}
  end
  return {state(), page}
end
local bounds, now = cjson.decode(ARGV[5]), tonumber(ARGV[6])
if redis.call('HGET', meta, 'rules') ~= ARGV[7] then return {state(), 0} end
if verb == 'count' and m.counting > 0 and m.counted == tonumber(ARGV[8]) then
  local last = m.counting
  for at = 9, #ARGV, 2 do
    last = tonumber(ARGV[at])
    local entry = fieldsOf(ARGV[at])
    if entry then add(ARGV[at], tonumber(ARGV[at + 1]), entry.z, cjson.decode(entry.k)[2], bounds) end
  end
  m.counted = math.max(m.counted, last)
  if m.counted >= m.counting then m.counting = 0 end
end
local unfinished = trim(bounds, now, 500)
finish()
return {state(), unfinished}
`

/**
 * Looks, all at one moment: `state`; `members`, a page of the roster; `locate` an id; `read` after an offset, with what was removed since a mark; `newest`
 * before an offset. Topics, where there are any, come last: then only what the index has of them is read.
 */
const look = `#!lua flags=allow-oom
${common}
local function offsetsOf(command, from, to, count, firstTopic)
  local offsets, seen = {}, {}
  for at = firstTopic, #ARGV do
    for _, kind in ipairs({'c:', 'a:'}) do
      for _, offset in ipairs(redis.call(command, space .. kind .. ARGV[at], from, to, 'LIMIT', 0, count)) do
        if not seen[offset] then offsets[#offsets + 1] = tonumber(offset) end
        seen[offset] = true
      end
    end
  end
  return offsets
end

local verb = ARGV[4]
if verb == 'locate' then return {state(), redis.call('LINDEX', space .. 'i:' .. ARGV[5], 0) or ''} end
if verb == 'state' then return {state()} end
if verb == 'members' then
  local found = redis.call('HSCAN', space .. 'roster', ARGV[5], 'COUNT', 500)
  return {state(), found[1], found[2]}
end
local from, count, hasTopics = ARGV[5], tonumber(ARGV[6]), ARGV[7] == '1'
local page, isEnd = {}, 1
if verb == 'newest' then
  local offsets = {}
  if hasTopics then
    offsets = offsetsOf('ZREVRANGEBYSCORE', '(' .. from, '-inf', count, 8)
    table.sort(offsets, function(a, b) return a > b end)
  end
  local rows = hasTopics and {} or redis.call('XREVRANGE', entries, '(' .. from .. '-0', '-', 'COUNT', count)
  for i = 1, math.min(count, #offsets) do
    rows[i] = redis.call('XRANGE', entries, offsets[i] .. '-0', offsets[i] .. '-0')[1]
  end
  for i, row in ipairs(rows) do page[i] = {row[1], row[2][6]} end
  return {state(), page}
end
local bytes, known, mark = tonumber(ARGV[8]), ARGV[9], ARGV[10]
local function take(entry)
  page[#page + 1] = entry
  bytes = bytes - tonumber(entry[2][4])
  if #page >= count or bytes <= 0 then isEnd = 0 end
  return isEnd == 1
end
if hasTopics then
  local offsets = offsetsOf('ZRANGEBYSCORE', '(' .. from, '+inf', count, 11)
  table.sort(offsets)
  for _, offset in ipairs(offsets) do
    if not take(redis.call('XRANGE', entries, offset .. '-0', offset .. '-0')[1]) then break end
  end
else
  local rows
  repeat
    rows = redis.call('XRANGE', entries, '(' .. from .. '-0', '+', 'COUNT', 64)
    for _, row in ipairs(rows) do
      from = string.match(row[1], '^%d+')
      if not take(row) then break end
    end
  until #rows < 64 or isEnd == 0
end
local traces = redis.call('ZRANGEBYSCORE', space .. 'marks', known == epoch and '(' .. mark or '-inf', '+inf', 'WITHSCORES')
local offsets = {}
for i = 1, #traces, 2 do offsets[#offsets + 1] = redis.call('HGET', space .. 'traces', traces[i]) end
return {state(), page, isEnd, traces, offsets}
`

const script = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') })

export const scripts = { append: script(`#!lua\n${append}`), keep: script(keep), look: script(look) }
