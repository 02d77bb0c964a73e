-- Judges a post, which happens at most once if there is a name under which that is noted, and notes it.
-- KEYS: doorbell counters, invitation, two for each user, due.
-- ARGV: as they are named here, then a plan for each user, and the events.
local header, origin, name, note, retained_until, ended_push = unpack(ARGV, 1, 6)
local sent_at, user_count = unpack_bytes('<I8I2', header)
local before_plans, invitation, added = 6, KEYS[2], ''

local found = name ~= '' and call('HMGET', invitation, name, 't') or {}
if found[1] and unpack_bytes('<I8', found[1]) > now then return { now, 'repeat' } end
if now - sent_at > $STALE or sent_at - now > $STALE then return { now, 'stale' } end
if name ~= '' then
  call('HSET', invitation, name, note)
  -- With a record the note goes when that goes.
  if not found[2] then call('PEXPIREAT', invitation, retained_until) end
end
if ended_push ~= '' then call('ZREM', KEYS[3 + user_count * 2], ended_push) end

local users = {}
for number = 1, user_count do users[number] = call('HMGET', KEYS[1 + number * 2], 'h', 'p') end
