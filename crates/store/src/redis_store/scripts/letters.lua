-- Jobs of targets, and what becomes of those that fail. KEYS of scripts with this stage begin with the dead letters by
-- time, and the dead letters.
-- A job's state: the end of its lease, how often it was taken, when it was queued; then what went wrong the last time.
local STATE, STATE_BYTES = '<I8I4I8', 20

-- A letter: when it was given up, after how many attempts, the target's name and the error behind their lengths, the job.
local function bury(id, at, attempts, name, error, job)
  call('ZADD', KEYS[1], at, id)
  call('HSET', KEYS[2], id, pack('<I8I4', at, attempts) .. name .. pack('<B', #error) .. error .. job)
  local surplus = call('ZCARD', KEYS[1]) - $LETTERS
  if surplus > 0 then
    local oldest = call('ZPOPMIN', KEYS[1], surplus)
    for index = 1, #oldest, 2 do call('HDEL', KEYS[2], oldest[index]) end
  end
  call('PEXPIRE', KEYS[1], '$LETTER_TTL')
  call('PEXPIRE', KEYS[2], '$LETTER_TTL')
end

-- Whether a job waits for another: a settlement is not told before the creation was, or cannot be. A job is an id of 17
-- bytes, what it tells, and of whom.
local function is_held(states, job)
  return sub(job, 18, 18) == 'S' and call('HEXISTS', states, sub(job, 1, 17) .. 'C' .. sub(job, 19)) == 1
end

local function add(queue, states, job, at)
  call('ZADD', queue, is_held(states, job) and '$HELD' or string.format('%.0f', at), job)
  call('HSET', states, job, pack(STATE, 0, 0, now))
  call('PEXPIRE', queue, '$DUE_TTL')
  call('PEXPIRE', states, '$DUE_TTL')
end

local function forget(queue, states, job)
  call('ZREM', queue, job)
  return call('HDEL', states, job) == 1
end

-- Has what waited for a job follow at once.
local function follow(queue, states, last)
  local state = last ~= '' and call('HGET', states, last)
  if state then
    local _, attempts = unpack_bytes(STATE, state)
    if attempts == 0 or tonumber(call('ZSCORE', queue, last)) == $HELD then call('ZADD', queue, string.format('%.0f', now), last) end
    return true
  end
end
