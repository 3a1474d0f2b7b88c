import { getValue, type Executor } from './executor.ts'

export function healthStore(db: Executor) {
  return {
    /** Whether the server takes no writes, as a standby. */
    isReadOnly: () => getValue<boolean>(db)`
      select current_setting('transaction_read_only')::boolean as is_read_only`,
  }
}
