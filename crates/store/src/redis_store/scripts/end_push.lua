-- Ends a job. KEYS: dead letters, queue, states.
-- ARGV: job; the one that waits for it, if there may be one; and for the letter that it leaves, if it has an id: that, now, how often it
-- was tried, the target's name behind its length, what went wrong.
local job, last, id, at, attempts, name, error = unpack(ARGV)
-- What somebody else has ended, maybe by delivering it, leaves no letter.
if forget(KEYS[3], KEYS[4], job) and id ~= '' then bury(id, at, attempts, name, error, job) end
follow(KEYS[3], KEYS[4], last)
return { now }
