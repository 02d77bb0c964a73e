-- Shared by the scripts that write to users. A user is a hash of opaque bytes: h the head of the inbox, p the
-- connections, a and s the active invitations by others and by the user, m the missed ones.
-- Numbers in stored bytes are little-endian.
--
-- What these scripts do bounds what the server can carry, hence their style: numbers are handed to commands as
-- text, because writing one out takes as long as a command does; what is packed was packed by the caller where
-- it could be; functions and tables are made where they are needed.
local call, pack, unpack_bytes = redis.call, struct.pack, struct.unpack
local sub, byte, find = string.sub, string.byte, string.find
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- A head: epoch, offset and check of the last entry, which together are the position; then bytes of entries, time
-- of the oldest, offset acknowledged, and when the keys' expiry was last set.
local HEAD, POSITION = '<c8I8c4I8I8I8I8', 20
