-- Gives a job back to be taken later. KEYS: dead letters, queue, states. ARGV: job; the one of its end, if it is a ring; from when on.
local job, last, at = unpack(ARGV)
local state = call('HGET', KEYS[4], job)
if not state then return { now } end
if follow(KEYS[3], KEYS[4], last) then
  -- The ring is over.
  forget(KEYS[3], KEYS[4], job)
else
  local _, attempts, queued = unpack_bytes(STATE, state)
  call('ZADD', KEYS[3], at, job)
  call('HSET', KEYS[4], job, pack(STATE, 0, attempts, queued))
end
return { now }
