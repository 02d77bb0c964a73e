-- Writes what one commit, post or relay says, all of it or nothing, under the checks that it carries.
-- KEYS: invitation, due, doorbell counters, two for each user, then those that arguments name by number.
local id, channel = argument(), argument()
local sent_at, not_before = tonumber(argument()), tonumber(argument())
local what = argument()
local invitation, due = KEYS[1], KEYS[2]
local NEVER = string.rep('\255', 8)

-- What the record says, and what it is to say.
local expected, head, body, operation_name, operation, retained_until, deadline
local note_name, note
local expected_place, place, served, next_relay

if what == 'commit' then
  expected, head, body, operation_name, operation = argument(), argument(), argument(), argument(), argument()
  retained_until, deadline = argument(), argument()
elseif what == 'post' then
  note_name, note, retained_until = argument(), argument(), argument()
else
  expected_place, place, served, next_relay = argument(), argument(), argument(), argument()
end

local user_count = tonumber(argument())
user_keys, user_arguments = 3, cursor
cursor = cursor + user_count * 3

-- An entry of a list of active invitations: id, times, timer, inviter.
local function next_active(list, at)
  local length = byte(list, at + 34)
  return sub(list, at, at + 16), at + 35 + length
end

local function active(list)
  local at = 1
  return function()
    while at < #list do
      local start = at
      local found, after = next_active(list, at)
      at = after
      local created, retained, timer = unpack_bytes('<I8I8B', list, start + 17)
      if retained > now then return found, created, timer == 1, sub(list, start + 35, after - 1) end
    end
  end
end

local function without(list, unwanted)
  local kept, at = {}, 1
  while at < #list do
    local found, after = next_active(list, at)
    if found ~= unwanted and unpack_bytes('<I8', list, at + 25) > now then kept[#kept + 1] = sub(list, at, after - 1) end
    at = after
  end
  return table.concat(kept)
end

local guards = {}

-- The user has fewer than so many active invitations.
function guards.below()
  local list, limit = find_user(tonumber(argument()))[argument()], tonumber(argument())
  if #list < limit * 36 then return nil end
  local count, oldest, candidates = 0, nil, ''
  for found, created, timer in active(list) do
    count = count + 1
    if not timer then
      if not oldest or created < oldest then
        oldest, candidates = created, found
      elseif created == oldest then
        candidates = candidates .. found
      end
    end
  end
  return count >= limit and candidates or nil
end

-- None of the user's active invitations is by one of these.
function guards.apart()
  local list, by, matches = find_user(tonumber(argument())).a, {}, ''
  for _ = 1, tonumber(argument()) do by[argument()] = true end
  for found, _, _, inviter in active(list) do
    if by[inviter] then matches = matches .. found end
  end
  return matches ~= '' and matches or nil
end

-- None of the user's active invitations has a timer.
function guards.quiet()
  for _, _, timer in active(find_user(tonumber(argument())).a) do
    if timer then return '' end
  end
end

-- The set holds all of these, and the empty name, without which it does not exist.
function guards.members()
  local key, names, strangers = KEYS[tonumber(argument())], { '' }, {}
  for _ = 1, tonumber(argument()) do names[#names + 1] = argument() end
  local found = call('SMISMEMBER', key, unpack(names))
  if found[1] == 0 then return 'missing' end
  for index = 2, #names do
    if found[index] == 0 then strangers[#strangers + 1] = index - 2 end
  end
  return #strangers > 0 and table.concat(strangers, ',') or nil
end

local is_stale = math.abs(now - sent_at) > $STALE
local stored, known_place

if what == 'commit' then
  local found = call('HMGET', invitation, 't', 'oc')
  stored, known_place = found[1], found[2]
  if stored and sub(stored, 9, 24) == sub(head, 9, 24) then return { now, 'committed' } end
  if is_stale then return { now, 'stale' } end
  if now < not_before then return { now, 'early' } end
  if (stored and sub(stored, 1, 24) or '') ~= expected then
    return { now, 'conflict', stored, stored and call('HGET', invitation, 'r') }
  end
elseif what == 'post' then
  if note_name ~= '' then
    local found = call('HMGET', invitation, note_name, 't')
    if found[1] and unpack_bytes('<I8', found[1]) > now then return { now, 'repeat' } end
    stored = found[2]
  end
  if is_stale then return { now, 'stale' } end
elseif call('HGET', invitation, 'oc') ~= expected_place then
  return { now, 'moved' }
end

local failures = {}
for number = 0, tonumber(argument()) - 1 do
  local said = guards[argument()]()
  if said then failures[#failures + 1] = { number, said } end
end
if #failures > 0 then return { now, 'guarded', failures } end

-- From here on everything is written.
local changes = {}
local function change(name, value)
  changes[#changes + 1] = name
  changes[#changes + 1] = value
end

local function set_due(kind, at)
  call('ZADD', due, at, id .. kind)
  call('PEXPIRE', due, $DUE_TTL)
end

local events = {}
for number = 1, tonumber(argument()) do events[number] = argument() end
local notices = argument()
for at = 1, #notices, 8 do
  local user, event, check = unpack_bytes('<I2I2c4', notices, at)
  append(user, event, events[event], check)
end
local origin = argument()

for _ = 1, tonumber(argument()) do
  local kind, number, list = argument(), tonumber(argument()), argument()
  local user = find_user(number)
  if kind == 'add' then
    user[list] = without(user[list], id) .. argument()
  elseif kind == 'drop' then
    user[list] = without(user[list], argument())
  else
    user[list] = without(user[list], id)
  end
  user.written[list] = true
  if kind == 'missed' then
    -- Fixed size, oldest first; what is too old is in front.
    local missed = user.m .. pack('<I8', user.offset) .. id .. pack('<I8', now)
    local first = math.max(1, #missed - $MISSED * 33 + 1)
    while first < #missed and now - unpack_bytes('<I8', missed, first + 25) >= $MISSED_AGE do first = first + 33 end
    user.m = sub(missed, first)
    user.written.m, user.written.h = true, true
  end
end
save_users()

local histories = tonumber(argument())
if histories > 0 then
  local created_at = argument()
  for _ = 1, histories do
    local key = KEYS[tonumber(argument())]
    call('ZADD', key, created_at, id)
    call('PEXPIRE', key, $HISTORY_TTL)
  end
end

local broadcast, audience = argument(), argument()
if audience ~= '' then
  change('A', audience)
  known_place = pack('<I8I4I8', 0, 0, 0)
end
if broadcast ~= '' and known_place then
  local first, done, last = unpack_bytes('<I8I4I8', known_place)
  change('o' .. string.format('%.0f', last), pack('<I8', now + $RELAY_AFTER) .. broadcast)
  if first == last then set_due('R', now + $RELAY_AFTER) end
  known_place = pack('<I8I4I8', first, done, last + 1)
end
if (broadcast ~= '' or audience ~= '') and known_place then change('oc', known_place) end

if what == 'commit' then
  change('t', head)
  change('r', body)
  change(operation_name, operation)
  call('HSET', invitation, unpack(changes))
  if not stored or sub(stored, 33, 40) ~= sub(head, 33, 40) then call('PEXPIREAT', invitation, retained_until) end
  local before, after = stored and sub(stored, 25, 32) or NEVER, sub(head, 25, 32)
  if before ~= after then
    if after == NEVER then call('ZREM', due, id .. 'D') else set_due('D', deadline) end
  end
elseif what == 'post' then
  if note_name ~= '' then
    call('HSET', invitation, note_name, note)
    -- With a record the note goes when that goes.
    if not stored then call('PEXPIREAT', invitation, retained_until) end
  end
else
  call('HSET', invitation, 'oc', place)
  if served ~= '' then
    call('HDEL', invitation, served)
    if next_relay == '' then call('ZREM', due, id .. 'R') else set_due('R', next_relay) end
  end
end

return { now, 'committed', ring(KEYS[3], channel, origin, events) }
