/** `look`: it cannot be judged from here, and a person has to. */
export type Verdict = 'ok' | 'no' | 'look'

export interface Finding {
  name: string
  verdict: Verdict
  /** What was found, and what to do where it is not `ok`. */
  sentence: string
}

export const ok = (name: string, sentence: string): Finding => ({ name, verdict: 'ok', sentence })
export const no = (name: string, sentence: string): Finding => ({ name, verdict: 'no', sentence })
export const look = (name: string, sentence: string): Finding => ({ name, verdict: 'look', sentence })
