/**
 * One call writes one batch of one channel. The checkpoint is the gate: what it has passed is skipped, each step must
 * begin where it stands, and it is moved last, to the last step that was done, also when a later one fails. Data and
 * checkpoint change in one script, so they are kept, and lost, together.
 *
 *     KEYS  checkpoint, gaps, then the streams and strings that the steps name by their index
 *     ARGV  source, epoch and seq that the caller believes Redis has, MAXLEN, the steps as `packed-items.ts` writes them
 *     reply {status, epoch, seq, closed, records written, gaps written, message}
 *
 * Status OK; ERROR with Redis's own message; BEHIND: the checkpoint is older than the caller believes; MOVED: another
 * mirror is in an epoch that the caller has not seen; EPOCH_REGRESSED: the step is of an epoch before the checkpoint's;
 * BROKEN_BATCH: a step does not begin where the one before it ended. A replica refuses the first write: the script fails
 * with its READONLY, which the connection must hear.
 */
export const MIRROR_SCRIPT = `
local source, base_epoch, base_seq, maxlen = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local checkpoint, gap_stream = KEYS[1], KEYS[2]

local function failure(reply)
  if type(reply) == 'table' and reply.err then return reply.err end
  return nil
end

local stored = redis.pcall('HMGET', checkpoint, 'epoch', 'seq', 'closed')
if failure(stored) then return {'ERROR', '0', '0', 0, 0, 0, stored.err} end
local epoch_text, seq_text = stored[1] or '0', stored[2] or '0'
local epoch, seq, closed = tonumber(epoch_text), tonumber(seq_text), stored[3] == '1'
if not epoch or not seq then
  return {'ERROR', '0', '0', 0, 0, 0, 'BAD_CHECKPOINT ' .. checkpoint .. ' holds no position'}
end

local written, gaps = 0, 0
local writable, moved = false, false

-- Before the first write: a checkpoint that cannot be written would let everything be written again and again.
local function open()
  if writable then return nil end
  local reply = redis.pcall('HSET', checkpoint, 'epoch', epoch_text, 'seq', seq_text)
  writable = not failure(reply)
  return failure(reply)
end

local function finish(status, message)
  if moved then
    local reply = redis.pcall('HSET', checkpoint, 'epoch', epoch_text, 'seq', seq_text, 'closed', closed and '1' or '0')
    if failure(reply) then status, message = 'ERROR', reply.err end
  end
  if string.sub(message, 1, 8) == 'READONLY' then return redis.error_reply(message) end
  return {status, epoch_text, seq_text, closed and 1 or 0, written, gaps, message}
end

local function add_gap(gap_epoch, from, to, reason)
  local failed = open() or failure(redis.pcall('XADD', gap_stream, 'MAXLEN', '~', 100000, '*',
    'channel', source, 'epoch', gap_epoch, 'from', from, 'to', to, 'reason', reason))
  if not failed then gaps = gaps + 1 end
  return failed
end

-- Newer than what the string holds, when that is of the same source; anything else is replaced.
local function is_newer(held, record_epoch, record_seq)
  if not held then return true end
  local parsed, old = pcall(cjson.decode, held)
  if not parsed or type(old) ~= 'table' or old.source ~= source then return true end
  local old_epoch, old_seq = tonumber(old.epoch), tonumber(old.seq)
  if not old_epoch or not old_seq then return true end
  return record_epoch > old_epoch or (record_epoch == old_epoch and record_seq > old_seq)
end

local function add_record(record_epoch, record_seq, record_seq_text, stream_index, string_index, end_ms, topic, data)
  local failed = open()
  if failed then return failed end
  if string_index > 0 then
    local key = KEYS[string_index]
    local held = redis.pcall('GET', key)
    failed = failure(held)
    if not failed and is_newer(held, record_epoch, record_seq) then
      failed = failure(redis.pcall('SET', key, data))
        or failure(redis.pcall('PEXPIREAT', key, string.format('%.0f', end_ms)))
    end
    if failed then return failed end
  end
  failed = failure(redis.pcall('XADD', KEYS[stream_index], 'MAXLEN', '~', maxlen, '*', 'topic', topic,
    'data', data, 'source', source, 'epoch', epoch_text, 'seq', record_seq_text))
  if failed then return failed end
  written = written + 1
  return nil
end

if epoch < base_epoch or (epoch == base_epoch and seq < base_seq) then return finish('BEHIND', '') end

local steps, at = ARGV[5], 1
local unpack_step = struct.unpack
while at <= #steps do
  local kind = string.sub(steps, at, at)
  local step_epoch, step_seq, next_at = unpack_step('<dd', steps, at + 1)
  if kind == 'n' then
    local reason
    reason, at = unpack_step('<I2c0', steps, next_at)
    if epoch < step_seq then
      if epoch ~= step_epoch then return finish('MOVED', '') end
      if reason ~= '' then
        local failed = add_gap(epoch_text, string.format('%.0f', seq + 1), '', reason)
        if failed then return finish('ERROR', failed) end
      end
      epoch, epoch_text, seq, seq_text, closed, moved = step_seq, string.format('%.0f', step_seq), 0, '0', false, true
    end
  elseif step_epoch < epoch then
    return finish('EPOCH_REGRESSED', '')
  elseif step_epoch > epoch then
    return finish('BROKEN_BATCH', kind .. ' of another epoch')
  elseif kind == 'r' then
    if step_seq > seq + 1 then return finish('BROKEN_BATCH', 'r after a hole') end
    local stream_index, string_index, end_ms, topic, data
    stream_index, string_index, end_ms, topic, data, at = unpack_step('<I2I2dI2c0I4c0', steps, next_at)
    if step_seq == seq + 1 then
      local step_seq_text = string.format('%.0f', step_seq)
      local failed = add_record(step_epoch, step_seq, step_seq_text, stream_index, string_index, end_ms, topic, data)
      if failed then return finish('ERROR', failed) end
      seq, seq_text, closed, moved = step_seq, step_seq_text, false, true
    end
  elseif kind == 'g' then
    local to, reason
    to, reason, at = unpack_step('<dI2c0', steps, next_at)
    if step_seq > seq + 1 then return finish('BROKEN_BATCH', 'g after a hole') end
    if to > seq then
      local to_text = string.format('%.0f', to)
      local failed = add_gap(epoch_text, string.format('%.0f', seq + 1), to_text, reason)
      if failed then return finish('ERROR', failed) end
      seq, seq_text, closed, moved = to, to_text, false, true
    end
  else
    if step_seq == seq and not closed then closed, moved = true, true end
    at = next_at
  end
end
return finish('OK', '')
`
