vcl 4.1;
# /etc/varnish/default.vcl: a cache between what brings TLS and the web processes. PURGE_URL=http://127.0.0.1:6081 in the
# workers' settings, and TRUST_PROXY names this machine in those of the web processes.
import std;

backend default {
  .host = "127.0.0.1";
  .port = "3000";
  .probe = { .url = "/healthz"; .interval = 2s; }
}

# Where the workers run.
acl workers {
  "127.0.0.1";
  "::1";
}

sub vcl_recv {
  if (req.method == "PURGE") {
    # What brings TLS is on this machine too: it names whom it speaks for, and Varnish adds who connects.
    if (client.ip !~ workers || req.http.X-Forwarded-For ~ ",") {
      return (synth(405));
    }
    return (purge);
  }
  # What is waiting, and why nothing is sent, is for you alone.
  if (req.url ~ "^/readyz") {
    return (synth(404));
  }
  if ((req.method != "GET" && req.method != "HEAD") || req.http.Authorization) {
    return (pass);
  }
  # Pages vary by language where their path names none: few values, those of your publication.
  if (req.http.Accept-Language ~ "(?i)^ar") {
    set req.http.Accept-Language = "ar";
  } else {
    set req.http.Accept-Language = "fr";
  }
  # A browser that opens a feed gets a page about it, which is not for readers.
  if (req.http.Sec-Fetch-Dest == "document" && req.url ~ "(\.xml|\.json)(\?|$)") {
    return (pass);
  }
  # Pages of one person say no-store, and no shared one looks at a cookie: those that come along change nothing.
  # As long as the web processes answer, a page is five minutes old at most; while they do not, half an hour.
  if (std.healthy(req.backend_hint)) {
    set req.grace = 4m;
  }
  return (hash);
}

sub vcl_backend_response {
  set beresp.grace = 30m;
}
