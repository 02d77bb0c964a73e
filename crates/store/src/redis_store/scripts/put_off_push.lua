-- Gives a job back to be taken later. KEYS: dead letters, queue, states.
-- ARGV: job; the one of its end, if it is a ring; from when on; what went wrong; and for the letter of a ring that is over:
-- its id, now, and the target's name behind its length.
local job, last, at, error, id, given_up_at, name = unpack(ARGV)
local state = call('HGET', KEYS[4], job)
if not state then return { now } end
local _, attempts, queued = unpack_bytes(STATE, state)
if follow(KEYS[3], KEYS[4], last) then
  forget(KEYS[3], KEYS[4], job)
  bury(id, given_up_at, attempts, name, error, job)
else
  call('ZADD', KEYS[3], at, job)
  call('HSET', KEYS[4], job, pack(STATE, 0, attempts, queued) .. error)
end
return { now }
