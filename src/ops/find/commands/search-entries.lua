--[[
Searches the entries, one step of many, because Redis is blocked during a step.

Keys
  KEYS[1] entries (hash: portal/submission to words)
Arguments
  ARGV[1] cursor of the previous step; 0 to begin
  ARGV[2] approximate number of entries to check
  ARGV[3] … words that an entry must all contain
Returns a list: the cursor of the next step, '0' at the end; then the submissions found, perhaps one twice
In Redis, because otherwise all entries would be sent to the searching process.
]]
local entriesKey = KEYS[1]
local cursor, step = ARGV[1], ARGV[2]
local firstWord = 3

local scanned = redis.call('HSCAN', entriesKey, cursor, 'COUNT', step)
local found = {scanned[1]}
local entries = scanned[2]
for i = 1, #entries, 2 do
  local submission, words = entries[i], entries[i + 1]
  local containsAll = true
  for w = firstWord, #ARGV do
    if not string.find(words, ARGV[w], 1, true) then
      containsAll = false
      break
    end
  end
  if containsAll then found[#found + 1] = submission end
end
return found
