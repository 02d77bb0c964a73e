-- The first stage of the scripts that write to users. A user is a hash of opaque bytes: h the head of the inbox, p
-- the connections, a and s the active invitations by others and by the user, m the missed ones, w when the user was rung of late.
-- Numbers in stored bytes are little-endian.
--
-- What these scripts cost bounds what the server can carry, hence their style. A script is made of stages that share
-- their locals, one file each: on the common path no function is made, and no table that can be done without. Numbers
-- go to commands as text, because writing one out takes as long as a command does. What can be packed by the caller
-- comes packed.
local call, pack, unpack_bytes = redis.call, struct.pack, struct.unpack
local sub, byte, find = string.sub, string.byte, string.find
-- Pushes that became due at once.
local due_now = false
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- A head: epoch, offset and check of the last entry, which together are the position; then bytes of entries, time
-- of the oldest, offset acknowledged, and when the expiry of the user's keys was last set.
local HEAD, POSITION = '<c8I8c4I8I8I8I8', 20
