-- Appends a group of updates, and trims. It declares no flags, so that Redis refuses it as a whole where memory is full.
-- Arguments: `rules` as text, `bounds` of each rule, `dedup`, and `updates`: `rule`, `size`, `private`, `id`, `topics`, and `presence`,
-- which is a roster record as JSON for somebody who comes and 'null' for somebody who goes; `isEnd`; and `deletion`, for the announcement
-- of one, as JSON. ARGV[i + 1] is the rest of update i as JSON.
-- Replies `outcome`: 'rules' where the rules are others, or 'appended', with `time`, `unfinished`, and, where an update was left
-- out, `outcomes`: for each update an empty text or why.

if rules == '' then
  redis.call('HSET', meta, 'rules', args.rules)
  rules = args.rules
elseif rules ~= args.rules then
  return reply({outcome = 'rules'})
end

local function enroll(topic, change)
  if change == 'null' then return redis.call('HDEL', keys.roster, topic) == 1 end
  return redis.call('HSETNX', keys.roster, topic, change) == 1
end

local skipped, twins, remembered = findRepeated()
local offsets, texts = {}, {}
local budget, isDeleting = 2 * #args.updates + 250, false
beginWrite()
log.time = math.max(log.time, now)
for i, update in ipairs(args.updates) do
  local topics, bounds = update.topics, args.bounds[update.rule + 1]
  if update.presence and not enroll(topics[1], update.presence) then skipped[i] = 'known' end
  if update.deletion then
    -- Before the announcement, which could otherwise supersede entries that there is now room for.
    if update.deletion.epoch ~= epoch then skipped[i] = 'epoch'
    elseif beginDeletion(update.deletion, args.maxDeletions) then isDeleting = deleteSome(args.bounds)
    else skipped[i] = 'busy' end
  end
  if not skipped[i] then
    log.head = log.head + 1
    local private = update.private and '1' or '0'
    -- A batch often has many updates of one topic.
    local cached = #topics == 1 and private .. topics[1]
    local text = cached and texts[cached] or cjson.encode({private, unpack(topics)})
    if cached then texts[cached] = text end
    -- What may be superseded by a later update of this very group is indexed at once.
    local index = bounds and bounds.last > 0 and redis.call or queue
    for j, topic in ipairs(topics) do
      index('ZADD', keys.topics, 0, member(j == 1 and canonical(topic) or alternate(topic), log.head))
    end
    if update.id ~= '' then index('ZADD', keys.ids, 0, member(idPrefix(update.id), log.head)) end
    redis.call('XADD', keys.entries, streamId(log.head), 'time', string.format('%.0f', log.time), 'size', update.size,
      'topics', text, 'id', update.id, 'update', ARGV[i + 1])
    if update.isEnd then log.ends = log.ends + 1 end
    if remembered[i] then remember(remembered[i]) end
    count(log.head, update.rule, update.size, topics[1], args.bounds, true)
    offsets[i] = log.head
  end
end
local outcomes = {}
if next(skipped) then
  for i = 1, #args.updates do outcomes[i] = skipped[i] or '' end
  for i, first in pairs(twins) do outcomes[i] = string.format('repeated %.0f %.0f', offsets[first], log.time) end
end
isDeleting = isDeleting or deleteSome(args.bounds)
local isUnfinished = trim(args.bounds, budget) or isDeleting
finish(budget)
return reply({outcome = 'appended', time = log.time, unfinished = isUnfinished and 1 or 0, outcomes = outcomes})
