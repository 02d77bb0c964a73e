-- Appends to inboxes without a transition, at most once if there is a name under which that is noted.
-- KEYS: doorbell counters, invitation, two for each user.
-- ARGV: as they are named here, then a plan for each user, and the events.
local header, origin, name, note, retained_until = unpack(ARGV, 1, 5)
local sent_at, user_count = unpack_bytes('<I8I2', header)
local before_plans, invitation = 5, KEYS[2]
before_events = before_plans + user_count

local noted, stored
if name ~= '' then
  local found = call('HMGET', invitation, name, 't')
  noted, stored = found[1], found[2]
  if noted and unpack_bytes('<I8', noted) > now then return { now, 'repeat' } end
end
if math.abs(now - sent_at) > $STALE then return { now, 'stale' } end

for number = 1, user_count do
  local user = call('HMGET', KEYS[1 + number * 2], 'h', 'p')
  write_user(number, user, ARGV[before_plans + number])
end
if name ~= '' then
  call('HSET', invitation, name, note)
  -- With a record the note goes when that goes.
  if not stored then call('PEXPIREAT', invitation, retained_until) end
end
return { now, 'committed', ring(origin) }
