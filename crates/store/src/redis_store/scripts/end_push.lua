-- Ends a job. KEYS: dead letters, queue, states. ARGV: job; the one of its end, if it is a ring; now; and the letter that it
-- leaves, if it does, as id and body.
local job, last, at, id, body = unpack(ARGV)
-- What somebody else has ended, maybe by delivering it, leaves no letter.
if forget(KEYS[3], KEYS[4], job) and body ~= '' then bury(id, at, body) end
follow(KEYS[3], KEYS[4], last)
return { now }
