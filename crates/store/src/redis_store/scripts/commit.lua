-- Judges a commit, but for its guards. What is to be written is written by the stages after it, all of it or nothing.
-- KEYS: doorbell counters, invitation, two for each user, due, groups, histories.
-- ARGV: as they are named here, then a plan for each user, the events, and what guards name.
local header, origin, id, expected, head, body, operation_name, operation, retained_until, deadline, added, guards,
  created_at, broadcast, audience, pushes = unpack(ARGV, 1, 16)
local sent_at, not_before, user_count, event_count, first_history, reads = unpack_bytes('<I8I8I2I2I2B', header)
local before_plans, invitation, due = 16, KEYS[2], KEYS[3 + user_count * 2]

-- A record's head: version and tag, which say what state it is; then the deadline, and the end of its retention.
local found = call('HMGET', invitation, 't', 'oc')
local stored, place = found[1], found[2]
if stored and sub(stored, 9, 24) == sub(head, 9, 24) then return { now, 'committed' } end
if now - sent_at > $STALE or sent_at - now > $STALE then return { now, 'stale' } end
if now < not_before then return { now, 'early' } end
if (stored and sub(stored, 1, 24) or '') ~= expected then
  return { now, 'conflict', stored, stored and call('HGET', invitation, 'r') }
end

local users = {}
for number = 1, user_count do
  -- What is read beside the lists stands in one place, because no commit needs both.
  if reads == 1 then
    users[number] = call('HMGET', KEYS[1 + number * 2], 'h', 'p', 'a', 's', 'm')
  elseif reads == 2 then
    users[number] = call('HMGET', KEYS[1 + number * 2], 'h', 'p', 'a', 's', 'w')
  else
    users[number] = call('HMGET', KEYS[1 + number * 2], 'h', 'p', 'a', 's')
  end
end
