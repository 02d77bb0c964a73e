-- Shared by the scripts that append to inboxes: users, their inboxes, and the doorbell.
-- It moves opaque bytes and knows nothing of signaling. Numbers in stored bytes are little-endian.
local call, pack, unpack_bytes, sub, byte = redis.call, struct.pack, struct.unpack, string.sub, string.byte
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local cursor = 0

local function argument()
  cursor = cursor + 1
  return ARGV[cursor]
end

-- Who is concerned: two keys and three arguments each. Read when first needed.
local users, user_keys, user_arguments = {}, 0, 0

local function read_head(user, bytes)
  if bytes then
    user.epoch, user.offset, user.check, user.bytes, user.oldest, user.acknowledged, user.renewed =
      unpack_bytes('<c8I8c4I8I8I8I8', bytes)
  else
    user.epoch, user.offset, user.check = user.fresh, 0, '\0\0\0\0'
    user.bytes, user.oldest, user.acknowledged, user.renewed = 0, now, 0, 0
    user.is_new = true
  end
end

local function write_head(user)
  return pack('<c8I8c4I8I8I8I8', user.epoch, user.offset, user.check, math.max(user.bytes, 0), user.oldest,
    user.acknowledged, user.renewed)
end

local function find_user(number)
  local user = users[number]
  if user then return user end
  local at = user_arguments + (number - 1) * 3
  user = { name = ARGV[at + 1], fresh = ARGV[at + 2], fields = ARGV[at + 3] }
  user.key, user.inbox = KEYS[user_keys + number * 2 - 1], KEYS[user_keys + number * 2]
  local names = {}
  for letter in user.fields:gmatch('.') do names[#names + 1] = letter end
  local values = call('HMGET', user.key, unpack(names))
  for index, name in ipairs(names) do user[name] = values[index] or '' end
  read_head(user, values[1])
  user.written = {}
  users[number] = user
  return user
end

-- Drops the oldest entries of an inbox that is well over a bound, down to the bound. The newest stays.
local function trim(user, length)
  if length > $ENTRIES then
    for _, value in ipairs(call('LPOP', user.inbox, length - $ENTRIES)) do user.bytes = user.bytes - #value end
    length = $ENTRIES
  end
  while length > 1 and user.bytes > $BYTES do
    user.bytes = user.bytes - #call('LPOP', user.inbox)
    length = length - 1
  end
  while true do
    local first = call('LINDEX', user.inbox, 0)
    user.oldest = unpack_bytes('<I8', first)
    if length == 1 or now - user.oldest < $AGE then return end
    user.bytes = user.bytes - #call('LPOP', user.inbox)
    length = length - 1
  end
end

local deliveries = {}

local function append(number, event, body, check)
  local user = find_user(number)
  -- A list without a head is of an inbox that is no more.
  if user.is_new and user.offset == 0 then call('DEL', user.inbox) end
  local value = pack('<I8', now) .. check .. user.check .. body
  user.offset = user.offset + 1
  deliveries[#deliveries + 1] = { user = user, event = event, previous = user.check, check = check,
    offset = user.offset }
  user.check = check
  local length = call('RPUSH', user.inbox, value)
  if length == 1 then
    user.bytes, user.oldest, user.renewed = #value, now, 0
  else
    user.bytes = user.bytes + #value
    if length > $ENTRIES + $SLACK or user.bytes > $BYTES + $SLACK_BYTES or now - user.oldest > $AGE + $RENEW then
      trim(user, length)
    end
  end
  user.written.h = true
end

local function save_users()
  for number in pairs(users) do
    local user = users[number]
    local written, changes = user.written, {}
    if next(written) and (user.is_new or now - user.renewed > $RENEW) then written.h = true end
    if written.h then
      if now - user.renewed > $RENEW then
        user.renewed = now
        user.expires = true
      end
      changes = { 'h', write_head(user) }
    end
    for _, name in ipairs({ 'p', 'a', 's', 'm' }) do
      if written[name] then
        changes[#changes + 1] = name
        changes[#changes + 1] = user[name]
      end
    end
    if #changes > 0 then call('HSET', user.key, unpack(changes)) end
    if user.expires then
      call('PEXPIRE', user.key, $USER_TTL)
      call('PEXPIRE', user.inbox, $INBOX_TTL)
    end
  end
end

-- Which node processes hold connections of a user.
local function incarnations_of(user)
  if not user.incarnations then
    local found, seen, at, list = {}, {}, 1, user.p
    while at < #list do
      local incarnation = sub(list, at, at + 15)
      if not seen[incarnation] then
        seen[incarnation] = true
        found[#found + 1] = incarnation
      end
      at = at + 25 + byte(list, at + 24)
    end
    user.incarnations = found
  end
  return user.incarnations
end

-- One message for each node concerned. Returns the nodes that nobody hears.
local function ring(bells, channel, origin, events)
  local nodes, order = {}, {}
  for _, delivery in ipairs(deliveries) do
    local user = delivery.user
    for _, incarnation in ipairs(incarnations_of(user)) do
      local node = nodes[incarnation]
      if not node then
        node = { names = {}, places = {}, bodies = {}, indices = {} }
        nodes[incarnation] = node
        order[#order + 1] = incarnation
      end
      local index = node.indices[delivery.event]
      if not index then
        local body = events[delivery.event]
        index = #node.bodies
        node.indices[delivery.event] = index
        node.bodies[index + 1] = pack('<I4', #body) .. body
      end
      node.names[#node.names + 1] = pack('<B', #user.name) .. user.name
      node.places[#node.places + 1] = user.epoch .. pack('<I8', delivery.offset) .. delivery.check
        .. delivery.previous .. pack('<I2', index)
    end
  end
  local unheard = {}
  for _, incarnation in ipairs(order) do
    local node = nodes[incarnation]
    local number = call('HINCRBY', bells, incarnation, 1)
    local message = pack('<BBI8I2', 1, 1, number, #node.names) .. table.concat(node.names)
      .. pack('<B', #origin) .. origin .. table.concat(node.places)
      .. pack('<I2', #node.bodies) .. table.concat(node.bodies)
    if call('PUBLISH', channel .. incarnation, message) == 0 then unheard[#unheard + 1] = incarnation end
  end
  return unheard
end
