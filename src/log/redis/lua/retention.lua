-- Retention: which entries a rule removes, and the traces that removed entries leave, by which a reader recognizes a gap.
-- Removing and deleting are two steps. A removed entry is gone for readers at once, but stays in the stream until every
-- follower has read it: a connected client receives every entry, even one that was superseded in the same batch. `compact` deletes it.
-- A rule is an object of bounds: `last`, `entries`, `bytes` and `age` in milliseconds; 0 means no bound.

local MAX_TRACES, MAX_TRACE_BYTES = 10000, 1024
local MAX_ARGUMENTS = 4000
local FOLLOWER_LEASE_MS, MAX_FOLLOWER_LAG = 10000, 50000

local hasFirstMoved = false
local decodedTopics, bytesGrown = {}, {}
local tracedTopics, traceOf = {}, {}
local queued, queuedKeys = {}, {}

-- Whether an entry belongs to a deletion in progress.
local pending = deletions == '' and {} or cjson.decode(deletions)
local function isDeleted(offset, topics)
  for _, deletion in ipairs(pending) do
    if offset >= deletion.from and offset <= deletion.through then
      for i = 2, #topics do
        for _, topic in ipairs(deletion.topics) do
          if topics[i] == topic then return true end
        end
      end
    end
  end
  return false
end

local function beginWrite() redis.call('HSET', meta, 'writing', 1) end

local function hasBound(bounds) return bounds.entries > 0 or bounds.bytes > 0 or bounds.age > 0 end

local function grow(rule, bytes) bytesGrown[rule] = (bytesGrown[rule] or 0) + bytes end

-- The topics of an entry as its stream field has them: whether it is private, then the canonical topic and the alternates.
local function topicsIn(text)
  decodedTopics[text] = decodedTopics[text] or cjson.decode(text)
  return decodedTopics[text]
end

local function topicPrefix(topics, i) return i == 2 and canonical(topics[i]) or alternate(topics[i]) end

-- A call of Redis from a script costs about as much as what it does, so members of an index are queued and sent together.
local function queue(command, key, score, name)
  local batch = queued[key]
  if not batch then
    batch = {command = command}
    queued[key] = batch
    queuedKeys[#queuedKeys + 1] = key
  end
  if score then batch[#batch + 1] = score end
  batch[#batch + 1] = name
end

local function flush()
  for _, key in ipairs(queuedKeys) do
    local batch = queued[key]
    for from = 1, #batch, MAX_ARGUMENTS do
      redis.call(batch.command, key, unpack(batch, from, math.min(#batch, from + MAX_ARGUMENTS - 1)))
    end
  end
  queued, queuedKeys = {}, {}
end

local function readEntry(offset)
  local row = redis.call('XRANGE', keys.entries, streamId(offset), streamId(offset))[1]
  return row and readRow(row)
end

local function markRemoved(entry)
  if entry.id ~= '' then redis.call('ZREM', keys.ids, member(idPrefix(entry.id), entry.offset)) end
  if entry.offset == log.first then
    log.first = entry.offset + 1
    hasFirstMoved = true
  else
    queue('ZADD', keys.removed, entry.offset, string.format('%.0f', entry.offset))
  end
end

-- Removes all but the newest `last` entries of a topic. That is no gap: they are superseded.
local function supersede(topic, rule, last)
  local prefix = canonical(topic)
  local excess = countOf(keys.topics, prefix) - last
  if excess <= 0 then return end
  for _, offset in ipairs(offsetsFrom(keys.topics, prefix, 0, math.min(excess, 1000))) do
    local entry = readEntry(offset)
    local isCounted = redis.call('ZREM', keys.rules, member(rulePrefix(rule), offset)) == 1
    if entry then
      local topics = topicsIn(entry.topics)
      for i = 2, #topics do redis.call('ZREM', keys.topics, member(topicPrefix(topics, i), offset)) end
      markRemoved(entry)
      if isCounted then grow(rule, -entry.size) end
    else
      redis.call('ZREM', keys.topics, member(prefix, offset))
    end
  end
end

local function loseTraces(offset)
  log.removedThrough = math.max(log.removedThrough, offset)
  log.removedThroughCount = log.removals
end

local function trace(entry)
  log.removals = log.removals + 1
  local topics = entry.topics
  if #topics > MAX_TRACE_BYTES then return loseTraces(entry.offset) end
  if not traceOf[topics] then
    tracedTopics[#tracedTopics + 1] = topics
    traceOf[topics] = {offset = 0}
  end
  traceOf[topics].count = log.removals
  traceOf[topics].offset = math.max(traceOf[topics].offset, entry.offset)
end

local function saveTrace(topics)
  local known = tonumber(redis.call('HGET', keys.traces, topics) or '0')
  redis.call('HSET', keys.traces, topics, math.max(known, traceOf[topics].offset))
  redis.call('ZADD', keys.marks, traceOf[topics].count, topics)
  if redis.call('ZCARD', keys.marks) <= MAX_TRACES then return end
  local oldest = redis.call('ZPOPMIN', keys.marks)[1]
  loseTraces(tonumber(redis.call('HGET', keys.traces, oldest)))
  redis.call('HDEL', keys.traces, oldest)
end

-- Counts an entry under its rule. One that was just appended needs no look whether it was counted before.
local function count(offset, rule, size, topic, rulesOf, isNew)
  local bounds = rulesOf[rule + 1]
  if not bounds then return end
  if hasBound(bounds) then
    local name = member(rulePrefix(rule), offset)
    if isNew and bounds.last == 0 then
      queue('ZADD', keys.rules, 0, name)
      grow(rule, size)
    elseif redis.call('ZADD', keys.rules, 'NX', 0, name) == 1 then
      grow(rule, size)
    end
  end
  if bounds.last > 0 then supersede(topic, rule, bounds.last) end
end

-- The oldest entries of a rule. Where it is the only rule, they lie side by side in the stream.
local function oldestOf(rule, size)
  local offsets, found = offsetsFrom(keys.rules, rulePrefix(rule), 0, size), {}
  if #offsets == 0 then return offsets, found end
  local rows = redis.call('XRANGE', keys.entries, streamId(offsets[1]), streamId(offsets[#offsets]), 'COUNT', #offsets)
  for _, row in ipairs(rows) do
    local entry = readRow(row)
    found[entry.offset] = entry
  end
  for _, offset in ipairs(offsets) do found[offset] = found[offset] or readEntry(offset) end
  return offsets, found
end

local function remove(rule, offsets, found)
  flush()
  for _, offset in ipairs(offsets) do
    queue('ZREM', keys.rules, nil, member(rulePrefix(rule), offset))
    local entry = found[offset]
    if entry then
      local topics = topicsIn(entry.topics)
      for i = 2, #topics do queue('ZREM', keys.topics, nil, member(topicPrefix(topics, i), offset)) end
      markRemoved(entry)
      grow(rule, -entry.size)
      if not isDeleted(offset, topics) then trace(entry) end
    end
  end
  flush()
end

-- Answers whether something is left to remove, and the rest of the budget.
local function trimRule(rule, bounds, budget)
  local kept = countOf(keys.rules, rulePrefix(rule))
  local bytes = tonumber(redis.call('HGET', meta, 'bytes:' .. rule) or '0') + (bytesGrown[rule] or 0)
  local size = 1
  local function isOver(entry)
    return (bounds.entries > 0 and kept > bounds.entries) or (bounds.bytes > 0 and bytes > bounds.bytes)
      or (bounds.age > 0 and (not entry or entry.time < now - bounds.age))
  end
  while true do
    local excess = bounds.entries > 0 and kept - bounds.entries or 0
    if excess <= 0 and bounds.age == 0 and not (bounds.bytes > 0 and bytes > bounds.bytes) then return false, budget end
    size = math.max(size, math.min(200, excess))
    local offsets, found = oldestOf(rule, size)
    local removed = {}
    local isDone = #offsets == 0
    for _, offset in ipairs(offsets) do
      local entry = found[offset]
      isDone = budget == 0 or not isOver(entry)
      if isDone then break end
      removed[#removed + 1] = offset
      budget, kept = budget - 1, kept - 1
      if entry then bytes = bytes - entry.size end
    end
    remove(rule, removed, found)
    if isDone then return budget == 0, budget end
    size = math.min(200, size * 4)
  end
end

-- Answers whether something is left to remove: everybody waits while a script runs, so its work has a bound.
local function trim(rulesOf, budget)
  flush()
  if log.counting > 0 then return false end
  for i, bounds in ipairs(rulesOf) do
    if hasBound(bounds) then
      local isUnfinished
      isUnfinished, budget = trimRule(i - 1, bounds, budget)
      if isUnfinished then return true end
    end
  end
  return false
end

local followers = KEYS[1] .. ':' .. epoch .. ':followers'

-- The offset up to which all living followers have read. One that says nothing, or is too far behind, is not waited for.
local function readByAll()
  local through, positions = log.head, redis.call('HGETALL', followers)
  for i = 1, #positions, 2 do
    local offset, seen = string.match(positions[i + 1], '^(%d+) (%d+)$')
    if now - seen > FOLLOWER_LEASE_MS then redis.call('HDEL', followers, positions[i])
    elseif log.head - offset <= MAX_FOLLOWER_LAG then through = math.min(through, offset) end
  end
  return through
end

-- Deletes removed entries that all followers have read.
local function compact(budget)
  local through = readByAll()
  local front = math.min(log.first, through + 1, log.trimmed + budget)
  if front > log.trimmed then
    redis.call('XTRIM', keys.entries, 'MINID', streamId(front))
    log.trimmed = front
  end
  local removed = redis.call('ZRANGEBYSCORE', keys.removed, '-inf', through, 'LIMIT', 0, math.min(budget, MAX_ARGUMENTS))
  if #removed == 0 then return log.trimmed < log.first and log.trimmed <= through end
  redis.call('ZREMRANGEBYRANK', keys.removed, 0, #removed - 1)
  for i, offset in ipairs(removed) do removed[i] = offset .. '-0' end
  redis.call('XDEL', keys.entries, unpack(removed))
  return #removed == math.min(budget, MAX_ARGUMENTS)
end

-- Moves `first` on to the oldest entry that is kept.
local function advanceFirst()
  while log.first <= log.head do
    local row = redis.call('XRANGE', keys.entries, streamId(log.first), '+', 'COUNT', 1)[1]
    if not row then
      log.first = log.head + 1
      break
    end
    log.first = tonumber(string.match(row[1], '^%d+'))
    local removed = redis.call('ZRANGEBYSCORE', keys.removed, log.first, '+inf', 'LIMIT', 0, 1000)
    if tonumber(removed[1]) ~= log.first then break end
    for _, offset in ipairs(removed) do
      if tonumber(offset) ~= log.first then break end
      log.first = log.first + 1
    end
  end
  redis.call('ZREMRANGEBYSCORE', keys.removed, '-inf', '(' .. string.format('%.0f', log.first))
end

-- Ends a script that writes. Answers whether compaction has more to do.
local function finish(budget)
  flush()
  for _, topics in ipairs(tracedTopics) do saveTrace(topics) end
  for rule, bytes in pairs(bytesGrown) do
    if bytes ~= 0 then redis.call('HINCRBY', meta, 'bytes:' .. rule, bytes) end
  end
  if hasFirstMoved then advanceFirst() end
  local hasMore = compact(budget)
  log.keys, log.writing = countKeys(), 0
  local values = {}
  for _, name in ipairs(fields) do
    values[#values + 1] = name
    values[#values + 1] = string.format('%.0f', log[name])
  end
  redis.call('HSET', meta, unpack(values))
  return hasMore
end
