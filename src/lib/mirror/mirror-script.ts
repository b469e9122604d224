/**
 * One call writes one batch of one channel. The checkpoint is the gate: what it has passed is skipped, each step must
 * begin where it stands, and it is moved last, to the last step that was done, also when a later one fails. Data and
 * checkpoint change in one script, so they are kept, and lost, together.
 *
 *     KEYS  checkpoint, gaps, then the streams and strings that the steps name by their index
 *     ARGV  source, epoch and seq that the caller believes Redis has, MAXLEN, then the steps:
 *           r <epoch> <seq> <stream> <topic> <data> <string or 0> <its end, Unix ms>
 *           g <epoch> <from> <to> <reason>
 *           n <from epoch> <to epoch> <reason or ''>
 *           c <epoch> <seq>
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

local function add_record(i, record_epoch, record_seq)
  local failed = open()
  if failed then return failed end
  local string_index = tonumber(ARGV[i + 6])
  local held
  if string_index > 0 then
    held = redis.pcall('GET', KEYS[string_index])
    failed = failure(held)
    if failed then return failed end
  end
  if string_index > 0 and is_newer(held, record_epoch, record_seq) then
    failed = failure(redis.pcall('SET', KEYS[string_index], ARGV[i + 5]))
      or failure(redis.pcall('PEXPIREAT', KEYS[string_index], ARGV[i + 7]))
    if failed then return failed end
  end
  failed = failure(redis.pcall('XADD', KEYS[tonumber(ARGV[i + 3])], 'MAXLEN', '~', maxlen, '*', 'topic', ARGV[i + 4],
    'data', ARGV[i + 5], 'source', source, 'epoch', ARGV[i + 1], 'seq', ARGV[i + 2]))
  if failed then return failed end
  written = written + 1
  return nil
end

if epoch < base_epoch or (epoch == base_epoch and seq < base_seq) then return finish('BEHIND', '') end

local i = 5
while i <= #ARGV do
  local kind, step_epoch, step_seq = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  if kind == 'n' then
    local to_epoch, reason = step_seq, ARGV[i + 3]
    if epoch < to_epoch then
      if epoch ~= step_epoch then return finish('MOVED', '') end
      if reason ~= '' then
        local failed = add_gap(epoch_text, string.format('%.0f', seq + 1), '', reason)
        if failed then return finish('ERROR', failed) end
      end
      epoch, epoch_text, seq, seq_text, closed, moved = to_epoch, ARGV[i + 2], 0, '0', false, true
    end
    i = i + 4
  elseif step_epoch < epoch then
    return finish('EPOCH_REGRESSED', '')
  elseif step_epoch > epoch then
    return finish('BROKEN_BATCH', kind .. ' of another epoch')
  elseif kind == 'r' then
    if step_seq > seq + 1 then return finish('BROKEN_BATCH', 'r after a hole') end
    if step_seq == seq + 1 then
      local failed = add_record(i, step_epoch, step_seq)
      if failed then return finish('ERROR', failed) end
      seq, seq_text, closed, moved = step_seq, ARGV[i + 2], false, true
    end
    i = i + 8
  elseif kind == 'g' then
    local to = tonumber(ARGV[i + 3])
    if step_seq > seq + 1 then return finish('BROKEN_BATCH', 'g after a hole') end
    if to > seq then
      local failed = add_gap(epoch_text, string.format('%.0f', seq + 1), ARGV[i + 3], ARGV[i + 4])
      if failed then return finish('ERROR', failed) end
      seq, seq_text, closed, moved = to, ARGV[i + 3], false, true
    end
    i = i + 5
  else
    if step_seq == seq and not closed then closed, moved = true, true end
    i = i + 3
  end
end
return finish('OK', '')
`
