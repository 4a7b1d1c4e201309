-- Deletion: `pending` has the deletions in progress, each with `topics`, `from` and `through`. Readers skip their entries from the
-- announcement on; here they are removed in steps, oldest first. They leave no trace, for a deletion is no gap.

-- Entries that one script deletes: publishers wait for it, and nobody waits for the space.
local MAX_DELETED = 100

local function saveDeletions()
  deletions = #pending > 0 and cjson.encode(pending) or ''
  redis.call('HSET', meta, 'deletions', deletions)
end

-- Answers whether there was room for one more. Called before its announcement is appended.
local function beginDeletion(deletion, most)
  if #pending >= most then return false end
  deletion.through = math.min(deletion.through, log.head)
  pending[#pending + 1] = deletion
  saveDeletions()
  return true
end

local function uncount(entry, rulesOf)
  for i, bounds in ipairs(rulesOf) do
    local isCounted = hasBound(bounds) and redis.call('ZREM', keys.rules, member(rulePrefix(i - 1), entry.offset)) == 1
    if isCounted then grow(i - 1, -entry.size) end
  end
end

local function removeDeleted(prefix, offsets, rulesOf)
  for _, offset in ipairs(offsets) do
    local entry = readEntry(offset)
    if entry then
      local topics = topicsIn(entry.topics)
      for i = 2, #topics do queue('ZREM', keys.topics, nil, member(topicPrefix(topics, i), offset)) end
      uncount(entry, rulesOf)
      markRemoved(entry)
    else
      queue('ZREM', keys.topics, nil, member(prefix, offset))
    end
  end
  flush()
end

-- The next entries of one topic of a deletion, at most `count`.
local function offsetsToDelete(deletion, prefix, count)
  local offsets = offsetsFrom(keys.topics, prefix, deletion.from, count)
  while #offsets > 0 and offsets[#offsets] > deletion.through do offsets[#offsets] = nil end
  return offsets
end

-- Answers whether something is left to delete.
local function deleteSome(rulesOf)
  local budget = MAX_DELETED
  flush()
  while pending[1] do
    for _, topic in ipairs(pending[1].topics) do
      for _, prefix in ipairs({canonical(topic), alternate(topic)}) do
        local offsets = offsetsToDelete(pending[1], prefix, MAX_DELETED)
        while #offsets > 0 do
          if budget <= 0 then return true end
          removeDeleted(prefix, offsets, rulesOf)
          budget = budget - #offsets
          offsets = offsetsToDelete(pending[1], prefix, MAX_DELETED)
        end
      end
    end
    table.remove(pending, 1)
    saveDeletions()
  end
  return false
end
