import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import { runProgram } from './programs.ts'
import { until } from './until.ts'

const execute = promisify(execFile)

/** The fields of WordPress's own `wp_insert_post`. */
export type RealPost = Record<string, string | number | number[]>

export interface RealWordpress {
  home: string
  /** @returns what `return` in the code gives, with WordPress loaded */
  run: (php: string) => unknown
  add: (post: RealPost) => number
  edit: (id: number, post: RealPost) => void
  /** What waits for the next visit of a real site: pings, and scheduled posts that are due. */
  runCron: () => Promise<void>
  /** All posts and what is planned are so much older: nothing waits for a clock. */
  passHours: (hours: number) => void
}

function onceFinishedEnd(child: ChildProcess): void {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
}

const start = (program: string, args: string[]) => {
  onceFinishedEnd(spawn(program, args, { stdio: 'ignore' }))
}

/** Debian's WordPress, with a MariaDB and a directory of its own; nothing of the machine's is touched. */
export async function aRealWordpress(): Promise<RealWordpress> {
  const root = mkdtempSync('/var/tmp/depeche-wordpress-')
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true })
  })
  const home = `http://127.0.0.1:${await findFreePort()}`
  await startDatabase(root)
  runProgram('cp', ['-rL', '/usr/share/wordpress', `${root}/site`])
  writeFileSync(`${root}/site/wp-config.php`, settings(root, home))
  // What makes a language of a site one that may be chosen.
  mkdirSync(`${root}/site/wp-content/languages`, { recursive: true })
  writeFileSync(`${root}/site/wp-content/languages/fr_FR.mo`, '')
  const run: RealWordpress['run'] = (php) => {
    const code = `${loaded(root, home)} echo "\\n", json_encode((function () { ${php} })());`
    return JSON.parse(runProgram('php', [], code).split('\n').at(-1) ?? '')
  }
  runProgram('php', [], installation(root, home))
  start('php', ['-S', new URL(home).host, '-t', `${root}/site`])
  await until('WordPress answers', () =>
    fetch(`${home}/wp-json/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  const save = (action: 'insert' | 'update', post: RealPost) => {
    const data = Buffer.from(JSON.stringify(post)).toString('base64')
    const id = run(`return wp_${action}_post(wp_slash(json_decode(base64_decode('${data}'), true)));`)
    if (typeof id !== 'number' || id === 0) throw new Error(`not saved: ${JSON.stringify(id)}`)
    return id
  }
  return {
    home,
    run,
    add: (post) => save('insert', { post_status: 'publish', ...post }),
    edit: (id, post) => {
      save('update', { ...post, ID: id })
    },
    passHours: (hours) => {
      run(`
        global $wpdb;
        foreach (['post_date', 'post_date_gmt', 'post_modified', 'post_modified_gmt'] as $at)
          $wpdb->query("update $wpdb->posts set $at = $at - interval ${hours} hour where $at > '1000-01-01'");
        $planned = [];
        foreach (_get_cron_array() as $at => $events) $planned[$at - ${hours * 3600}] = $events;
        return _set_cron_array($planned);
      `)
    },
    // While this process goes on: it is rung.
    runCron: async () => {
      await execute('php', ['-r', `${loaded(root, home).slice(5)} require ABSPATH . 'wp-cron.php';`])
    },
  }
}

async function startDatabase(root: string): Promise<void> {
  mkdirSync(`${root}/data/mysql`, { recursive: true })
  start('mariadbd', [
    '--no-defaults',
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    `--datadir=${root}/data`,
    `--socket=${root}/db.sock`,
    '--skip-networking',
    '--skip-grant-tables',
  ])
  await until('MariaDB answers', () => Promise.resolve(existsSync(`${root}/db.sock`)))
  const connect = `mysqli_connect('localhost', 'root', '', null, 0, '${root}/db.sock')`
  runProgram('php', [], `<?php mysqli_query(${connect}, 'create database wp character set utf8mb4');`)
}

const settings = (root: string, home: string) => `<?php
define('DB_NAME', 'wp'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:${root}/db.sock'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '${home}'); define('WP_SITEURL', '${home}'); define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
`

/** WordPress as for a visitor. */
const loaded = (root: string, home: string) => `<?php
$_SERVER['HTTP_HOST'] = '${new URL(home).host}'; $_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REQUEST_METHOD'] = 'GET'; $_SERVER['REQUEST_URI'] = '/';
require '${root}/site/wp-load.php';
`

const installation = (root: string, home: string) => `<?php
define('WP_INSTALLING', true);
function wp_mail() { return true; }
?>${loaded(root, home)}
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Le Rivage', 'admin', 'redaction@rivage.example', true, '', 'not-a-secret');
update_option('WPLANG', 'fr_FR');
update_option('timezone_string', 'Europe/Paris');
update_option('permalink_structure', '/%category%/%postname%/');
delete_option('rewrite_rules');
wp_delete_post(1, true);
wp_update_term(1, 'category', ['name' => 'Une', 'slug' => 'une']);
`
