-- Takes connections out of a user's presence: one device's, or all of one node process.
-- KEYS: user. ARGV: incarnation, connection, device; the last two empty for all.
local list = redis.call('HGET', KEYS[1], 'p')
if not list then return 0 end
local kept, at, incarnation = {}, 1, ARGV[1]
local unwanted = ARGV[1] .. ARGV[2]
while at < #list do
  local finish = at + 24 + string.byte(list, at + 24)
  local matches
  if ARGV[3] == '' then
    matches = string.sub(list, at, at + 15) == incarnation
  else
    matches = string.sub(list, at, at + 23) == unwanted and string.sub(list, at + 25, finish) == ARGV[3]
  end
  if not matches then kept[#kept + 1] = string.sub(list, at, finish) end
  at = finish + 1
end
local left = table.concat(kept)
if #left == #list then return 0 end
redis.call('HSET', KEYS[1], 'p', left)
return 1
