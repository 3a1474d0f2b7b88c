/** Whether an error, or what it comes from, says that the other side's certificate is not to be trusted, or is another's. */
export const isDistrust = (error: unknown): boolean => {
  const { code = '', cause } = (error ?? {}) as { code?: string; cause?: unknown }
  const known = /^(CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_CERT_)/
  return known.test(code) || (cause !== undefined && isDistrust(cause))
}

/** What a person can do about it. @param authorities where those that we trust are named */
export const explainDistrust = (reason: string, authorities: string): string =>
  // Node goes on with advice about its own options.
  `shows a certificate that is not trusted (${reason.replace(/;.*/s, '')}); name who signed it in ${authorities}, and the server as the certificate does`
