import { describe, expect, test } from 'vitest'
import { readDatabaseAddress, readRedisAddress } from '../../src/domain/backend-address.ts'

describe('of PostgreSQL', () => {
  test.each([
    ['postgres://a/d', ['postgres://a/d'], false],
    ['postgresql:///d?host=/run/postgresql', ['postgresql:///d?host=/run/postgresql'], false],
    [
      'postgres://a/d?target_session_attrs=read-write',
      ['postgres://a/d?target_session_attrs=read-write'],
      true,
    ],
    [
      'postgres://u:p%40ss@a:5433,b/d',
      ['postgres://u:p%40ss@a:5433/d', 'postgres://u:p%40ss@b:5432/d'],
      true,
    ],
    [
      'postgres://[2001:db8::1],[::1]:6000/d?sslmode=verify-full',
      ['postgres://[2001:db8::1]:5432/d?sslmode=verify-full', 'postgres://[::1]:6000/d?sslmode=verify-full'],
      true,
    ],
  ])('%s', (value, urls, isWritable) => {
    expect(readDatabaseAddress(value)).toMatchObject({ urls, isWritable })
  })

  test.each([
    ['mysql://a/d', 'starts with postgres://'],
    ['postgres://a,,b/d', 'an empty host'],
    ['postgres://a,/d', 'an empty host'],
    ['postgres://a:0,b/d', 'a port from 1 to 65535'],
    ['postgres://a:70000,b/d', 'a port from 1 to 65535'],
    ['postgres://a:port,b/d', 'a port from 1 to 65535'],
    ['postgres://2001:db8::1,b/d', 'without brackets'],
    ['postgres://a,b/d?host=c', 'in front of the database'],
    ['postgres:///d?host=a,b', 'in front of the database'],
    ['postgres://a,b/d?target_session_attrs=any', 'neither read-write nor primary'],
    ['postgres://a/d?target_session_attrs=standby', 'neither read-write nor primary'],
    ['postgres://u:50%@a,b/d', 'write it as %25'],
  ])('%s is refused with what to write', (value, sentence) => {
    expect(() => readDatabaseAddress(value)).toThrow(sentence)
  })
})

describe('of Redis', () => {
  test.each([
    ['redis://u:p@a/3', { kind: 'one', isTls: false, hosts: [{ host: 'a', port: 6379 }] }],
    [
      'rediss+cluster://u:p%2F@a:7000,[::1]',
      {
        kind: 'cluster',
        isTls: true,
        username: 'u',
        password: 'p/',
        hosts: [
          { host: 'a', port: 7000 },
          { host: '::1', port: 6379 },
        ],
      },
    ],
    [
      'redis+sentinel://:p@a,b:5000/lettres?db=2&sentinel_password=q',
      {
        kind: 'sentinel',
        password: 'p',
        hosts: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 5000 },
        ],
        master: { name: 'lettres', db: 2, username: '', password: 'q' },
      },
    ],
  ])('%s', (value, address) => {
    expect(readRedisAddress(value)).toMatchObject(address)
  })

  test.each([
    ['http://a', 'starts with redis://'],
    ['redis://a,b', 'write redis+cluster:// or redis+sentinel://'],
    ['redis+cluster://a,b/2', 'no numbered databases'],
    ['redis+sentinel://a,b', 'the name that the Sentinels give the master'],
    ['redis+sentinel://a,b/x?db=one', 'a db that is no number'],
    ['redis+sentinel://a,b/x?tls=1', 'behind the ?, and nothing else'],
    ['redis+cluster://', 'an empty host'],
  ])('%s is refused with what to write', (value, sentence) => {
    expect(() => readRedisAddress(value)).toThrow(sentence)
  })
})
