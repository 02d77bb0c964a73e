-- Turns an event that is due into a job for each target; before the settlement the creation, if nobody has yet.
-- KEYS: dead letters, due, and for each target its queue and the states of its jobs.
-- ARGV: what is due of the creation, and of the settlement or nothing; the jobs of both; now; what letters say of a full
-- queue; and for each target its name behind its length, and the ids of letters of both.
local created_due, settled_due, created, settled, at, no_room = unpack(ARGV, 1, 6)
if settled_due ~= '' and call('ZREM', KEYS[3], settled_due) == 0 then return { now, 0 } end
local is_created = call('ZREM', KEYS[3], created_due) == 1
if settled_due == '' and not is_created then return { now, 0 } end

local function put(queue, states, job, id, name)
  if call('ZCARD', queue) < $QUEUED then
    add(queue, states, job, now)
  else
    bury(id, at, 0, name, no_room, job)
  end
end

local argument = 7
for key = 4, #KEYS, 2 do
  local name, created_letter, settled_letter = unpack(ARGV, argument, argument + 2)
  argument = argument + 3
  if is_created then put(KEYS[key], KEYS[key + 1], created, created_letter, name) end
  if settled_due ~= '' then put(KEYS[key], KEYS[key + 1], settled, settled_letter, name) end
end
return { now, 1 }
