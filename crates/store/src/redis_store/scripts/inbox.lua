-- Shared by the scripts that append to inboxes, one user after the other, and then ring the doorbells of the
-- nodes where these users are. They set first_event and, where there are lists, entry before they write.
local now_bytes = pack('<I8', now)
-- The number of the argument before the first event; and what a list of active invitations gains.
local before_events, entry

-- What each node process is told, by its incarnation; and these in the order in which they came up.
local nodes, order = {}, {}

-- Drops the oldest entries of an inbox that is well over a bound, down to the bound. The newest stays.
-- Returns the bytes that are left, and the time of the oldest entry.
local function trim(inbox, length, bytes)
  if length > $ENTRIES then
    for _, value in ipairs(call('LPOP', inbox, length - $ENTRIES)) do bytes = bytes - #value end
    length = $ENTRIES
  end
  while length > 1 and bytes > $BYTES do
    bytes = bytes - #call('LPOP', inbox)
    length = length - 1
  end
  while true do
    local oldest = unpack_bytes('<I8', call('LINDEX', inbox, 0))
    if length == 1 or now - oldest < $AGE then return math.max(bytes, 0), oldest end
    bytes = bytes - #call('LPOP', inbox)
    length = length - 1
  end
end

-- Notes an inbox entry for every node process that holds connections of its user.
local function tell(presence, name, place, event)
  local at = 1
  while at < #presence do
    local incarnation = sub(presence, at, at + 15)
    at = at + 25 + byte(presence, at + 24)
    local node = nodes[incarnation]
    if not node then
      nodes[incarnation] = { users = 1, names = name, places = place .. '\0\0', last = place, events = 1, event = event,
        bodies = ARGV[before_events + event] }
      order[#order + 1] = incarnation
    elseif node.last ~= place then
      -- Who gets the same event comes in a row.
      if node.event ~= event then
        node.events, node.event = node.events + 1, event
        node.bodies = node.bodies .. ARGV[before_events + event]
      end
      node.users, node.names, node.last = node.users + 1, node.names .. name, place
      node.places = node.places .. place .. pack('<I2', node.events - 1)
    end
  end
end

-- The user's missed invitations and one more, of fixed size, oldest first.
local function with_missed(missed, offset, id)
  missed = (missed or '') .. pack('<I8', offset) .. id .. now_bytes
  local first = math.max(1, #missed - $MISSED * 33 + 1)
  -- What is too old is in front.
  while first < #missed and now - unpack_bytes('<I8', missed, first + 25) >= $MISSED_AGE do first = first + 33 end
  return sub(missed, first)
end

-- Writes what a plan says of a user: inbox entries, then changes of lists. `user` is what was read: h, p, a, s, m.
-- A plan: the epoch of an inbox that does not exist yet, how many entries and changes, for each entry its event and
-- its check, for each change what to do with which list and which invitation; the name behind its length.
local function write_user(number, user, plan)
  local key, inbox = KEYS[1 + number * 2], KEYS[2 + number * 2]
  local entries, changes = byte(plan, 9, 10)
  if entries + changes == 0 then return end
  local head, at, expires = user[1], 11, false
  local epoch, offset, check, bytes, oldest, acknowledged, renewed
  if head then
    epoch, offset, check, bytes, oldest, acknowledged, renewed = unpack_bytes(HEAD, head)
  else
    epoch, offset, check, bytes, oldest, acknowledged, renewed = sub(plan, 1, 8), 0, '\0\0\0\0', 0, now, 0, 0
    -- A list without a head is of an inbox that is no more.
    call('DEL', inbox)
  end
  if now - renewed > $RENEW then
    renewed, expires = now, true
    head = pack(HEAD, epoch, offset, check, bytes, oldest, acknowledged, renewed)
  end

  for _ = 1, entries do
    local event, fresh = unpack_bytes('<I2c4', plan, at)
    at = at + 6
    local value = now_bytes .. fresh .. check .. ARGV[before_events + event]
    local length = call('RPUSH', inbox, value)
    bytes = bytes + #value
    if length == 1 then
      -- The list is new, and has no expiry.
      bytes, oldest, renewed, expires = #value, now, now, true
    elseif length > $ENTRIES + $SLACK or bytes > $BYTES + $SLACK_BYTES or now - oldest > $AGE + $RENEW then
      bytes, oldest = trim(inbox, length, bytes)
    end
    offset = offset + 1
    head = pack(HEAD, epoch, offset, fresh, bytes, oldest, acknowledged, renewed)
    tell(user[2] or '', sub(plan, 11 + entries * 6 + changes * 20), sub(head, 1, POSITION) .. check, event)
    check = fresh
  end

  if changes == 0 then
    call('HSET', key, 'h', head)
  else
    local fields = { key, 'h', head }
    for _ = 1, changes do
      local what, list, id = unpack_bytes('<c1Bc18', plan, at)
      at = at + 20
      local found = user[list] or ''
      -- No name contains the mark before the id, and nothing else is equal to an id.
      local first = find(found, id, 1, true)
      if first then found = sub(found, 1, first - 1) .. sub(found, first + 36 + byte(found, first + 35)) end
      if what == '+' then found = found .. entry end
      user[list] = found
      fields[#fields + 1], fields[#fields + 2] = list == 3 and 'a' or 's', found
      if what == 'm' then fields[#fields + 1], fields[#fields + 2] = 'm', with_missed(user[5], offset, sub(id, 2)) end
    end
    call('HSET', unpack(fields))
  end
  if expires then
    call('PEXPIRE', key, '$USER_TTL')
    call('PEXPIRE', inbox, '$INBOX_TTL')
  end
end

-- One message for each node concerned. Returns the nodes that nobody hears.
local function ring(origin)
  local unheard = {}
  for _, incarnation in ipairs(order) do
    local node = nodes[incarnation]
    local number = call('HINCRBY', KEYS[1], incarnation, '1')
    local message = pack('<BBI8I2', 1, 1, number, node.users) .. node.names .. origin .. node.places .. node.bodies
    if call('PUBLISH', '$CHANNEL' .. incarnation, message) == 0 then unheard[#unheard + 1] = incarnation end
  end
  return unheard
end
