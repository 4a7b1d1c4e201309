-- Maintenance, by `args.verb`:
-- `renew`: extends the lease of a `node` by `lease` milliseconds and replies the living `nodes`.
-- `follow`: notes that the follower `follower` has read through `offset`; `unfollow`: it is gone.
-- `retain`: sets other `rules`. Entries are then counted under them, in pages: `page` replies `[offset, topic]` for each, and
-- `count` takes `[offset, rule]` for each. Until all are counted, nothing is trimmed.
-- `trim`: removes what was deleted and what the rules no longer keep, and frees what all followers have read.
-- It needs next to no memory, and frees some, so it may run where memory is full.

local verb = args.verb

if verb == 'renew' then
  local nodes = KEYS[1] .. ':' .. epoch .. ':nodes'
  redis.call('ZREMRANGEBYSCORE', nodes, '-inf', now)
  redis.call('ZADD', nodes, now + args.lease, args.node)
  return reply({nodes = redis.call('ZRANGE', nodes, 0, -1)})
end

if verb == 'follow' then
  if args.of == epoch then redis.call('HSET', followers, args.follower, string.format('%.0f %.0f', args.offset, now)) end
  return reply()
end

if verb == 'unfollow' then
  redis.call('HDEL', followers, args.follower)
  return reply()
end

if verb == 'retain' then
  if rules ~= args.rules then
    beginWrite()
    redis.call('DEL', keys.rules)
    for _, name in ipairs(redis.call('HKEYS', meta)) do
      if string.sub(name, 1, 6) == 'bytes:' then redis.call('HDEL', meta, name) end
    end
    rules = args.rules
    redis.call('HSET', meta, 'rules', rules)
    log.counting = log.first <= log.head and log.head or 0
    log.counted = 0
    finish(0)
  end
  return reply()
end

if verb == 'page' then
  local page = {}
  if log.counting == 0 then return reply({page = page}) end
  local from = math.max(log.counted + 1, log.first)
  local rows = redis.call('XRANGE', keys.entries, streamId(from), streamId(log.counting), 'COUNT', 250)
  for _, row in ipairs(withoutRemoved(rows)) do
    local entry = readRow(row)
    page[#page + 1] = {entry.offset, cjson.decode(entry.topics)[2]}
  end
  local last = rows[#rows] and readRow(rows[#rows]).offset or log.counting
  return reply({page = page, through = last})
end

if rules ~= args.rules then return reply({unfinished = 0}) end
beginWrite()
if verb == 'count' and log.counting > 0 and log.counted == args.counted then
  for _, one in ipairs(args.page) do
    local entry = readEntry(one[1])
    local topic = entry and topicsIn(entry.topics)[2]
    -- One that was counted before it may have superseded this one.
    local isKept = topic and redis.call('ZSCORE', keys.topics, member(canonical(topic), entry.offset))
    if isKept then count(entry.offset, one[2], entry.size, topic, args.bounds) end
  end
  log.counted = math.max(log.counted, args.through)
  if log.counted >= log.counting then log.counting = 0 end
end
local isDeleting = deleteSome(args.bounds)
local isUnfinished = trim(args.bounds, 500) or isDeleting
local hasMore = finish(4000)
return reply({unfinished = (isUnfinished or hasMore) and 1 or 0})
