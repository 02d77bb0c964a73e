-- Turns a push that is due into a job for each target.
-- KEYS: dead letters, due, invitation, and for each target its queue and the states of its jobs.
-- ARGV: what is due; the job of the ring; that of its end, or nothing for a ring; the field of the invitation that says
-- where the ring was pushed; now; and for each target its name behind its length, and letters for the case that the
-- ring was never tried, and that there is no room, each an id and a body.
local member, ring, last, mark, at = unpack(ARGV, 1, 5)
if call('ZREM', KEYS[3], member) == 0 or call('HEXISTS', KEYS[4], 't') == 0 then return { now, 0 } end
local marked = call('HGET', KEYS[4], mark) or ''
local argument = 6
for key = 5, #KEYS, 2 do
  local queue, states = KEYS[key], KEYS[key + 1]
  local name, untried, untried_body, roomless, roomless_body = unpack(ARGV, argument, argument + 4)
  argument = argument + 5
  local job, takeable = ring, now
  if last == '' then
    marked = marked .. name
  elseif find(marked, name, 1, true) then
    job = last
    local state = call('HGET', states, ring)
    if state then
      local lease, attempts = unpack_bytes(STATE, state)
      if lease > now then
        -- On its way right now: what ends it must not overtake it.
        takeable = lease
      else
        forget(queue, states, ring)
        if attempts == 0 then
          bury(untried, at, untried_body)
          job = nil
        end
      end
    end
  else
    job = nil
  end
  if job then
    if call('ZCARD', queue) < $QUEUED then
      add(queue, states, job, takeable)
    else
      bury(roomless, at, roomless_body)
    end
  end
end
if last == '' then call('HSET', KEYS[4], mark, marked) end
return { now, 1 }
