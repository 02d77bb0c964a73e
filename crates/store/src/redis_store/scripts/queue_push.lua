-- Turns a push that is due into a job for each target.
-- KEYS: dead letters, due, invitation, and for each target its queue and the states of its jobs.
-- ARGV: what is due; the job of the ring; that of its end, or nothing for a ring; the field of the invitation that says
-- where the ring was pushed; now; what letters say of a ring that was never tried, and of a full queue; and for each target
-- its name behind its length, and the ids of letters of the ring and of the job.
local member, ring, last, mark, at, never_tried, no_room = unpack(ARGV, 1, 7)
if call('ZREM', KEYS[3], member) == 0 or call('HEXISTS', KEYS[4], 't') == 0 then return { now, 0 } end
local marked = call('HGET', KEYS[4], mark) or ''
local argument = 8
for key = 5, #KEYS, 2 do
  local queue, states = KEYS[key], KEYS[key + 1]
  local name, ring_letter, job_letter = unpack(ARGV, argument, argument + 2)
  argument = argument + 3
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
        bury(ring_letter, at, attempts, name, attempts == 0 and never_tried or sub(state, STATE_BYTES + 1), ring)
        -- Nobody has to be told of the end of what nobody was told of.
        if attempts == 0 then job = nil end
      end
    end
  else
    job = nil
  end
  if job then
    if call('ZCARD', queue) < $QUEUED then
      add(queue, states, job, takeable)
    else
      bury(job_letter, at, 0, name, no_room, job)
    end
  end
end
if last == '' then call('HSET', KEYS[4], mark, marked) end
return { now, 1 }
