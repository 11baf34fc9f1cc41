#!/bin/sh
# The whole way, with real servers: nginx serves feeds, burdenwatch reads them, Postfix takes its mail over
# STARTTLS with a login, Dovecot delivers it, and the mailboxes are read back over IMAP.
#
#   tests/real_mail.sh [FOLDER]     FOLDER holds feed documents; default tests/fixtures/feeds
#   SERVERS_ONLY=1                  prove the servers with a Python client, without burdenwatch
#   BURDENWATCH=FILE                the program; default target/debug/burdenwatch
#
# Every server is a private one: own configuration, own ports on loopback, everything in a temporary directory that
# goes at exit. Needs root (Postfix and Dovecot do), and installs missing programs when apt-get is there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
folder=${1:-$here/fixtures/feeds}
burdenwatch=${BURDENWATCH:-$top/target/debug/burdenwatch}
say() { printf '%s\n' "real_mail: $*" >&2; }
die() { say "FAILED: $*"; exit 1; }

PATH=$PATH:/usr/sbin:/sbin
export PATH
[ "$(id -u)" = 0 ] || die "run as root: Postfix and Dovecot change users themselves"

missing=
need() { [ -e "$1" ] || command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need postfix postfix
need dovecot dovecot-core
need /usr/lib/dovecot/imap dovecot-imapd
need /usr/lib/dovecot/lmtp dovecot-lmtpd
need sievec dovecot-sieve
need nginx nginx-light
need openssl openssl
need python3 python3
if [ -n "$missing" ]; then
    say "ABSENT:$missing"
    command -v apt-get >/dev/null 2>&1 || die "install$missing and try again"
    # a package's own service must not start: only this script's instances run
    policy=/usr/sbin/policy-rc.d
    made=
    [ -e $policy ] || { made=1; printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy; }
    status=0
    # shellcheck disable=SC2086
    { apt-get -qq update && echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing; } >&2 || status=$?
    [ -z "$made" ] || rm -f $policy
    [ $status = 0 ] || die "apt-get could not install$missing"
fi

root=$(mktemp -d /tmp/real-mail.XXXXXX)
chmod 755 "$root"
clean() {
    status=$?
    [ ! -e "$root/postfix/main.cf" ] || postfix -c "$root/postfix" stop >/dev/null 2>&1 || true
    [ ! -e "$root/dovecot.pid/master.pid" ] || kill "$(cat "$root/dovecot.pid/master.pid")" 2>/dev/null || true
    [ ! -e "$root/nginx.pid" ] || kill "$(cat "$root/nginx.pid")" 2>/dev/null || true
    if [ $status != 0 ]; then
        for log in "$root"/dovecot.log "$root"/postfix.log "$root"/nginx.log "$root"/burdenwatch.log; do
            [ -e "$log" ] || continue
            say "--- $log"; tail -n 30 "$log" >&2; done
    fi
    rm -rf "$root"
}
trap clean EXIT
trap 'exit 1' INT TERM

# free ports, asked for together so that no two are the same
set -- $(python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*(s.getsockname()[1] for s in held))')
http=$1 smtp=$2 imap=$3 lmtp=$4 auth=$5
password=a-word-for-this-run

say "certificates"
(
    cd "$root"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=burdenwatch test authority" \
        -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' >ext
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.pem
) 2>"$root/openssl.log" || die "openssl"

say "Dovecot: LMTP, IMAP on $imap, SASL"
mkdir -p "$root/mail" "$root/dovecot.pid"
for user in watch reader desk folded; do
    echo "$user:{PLAIN}$password"
    mkdir -p "$root/mail/$user"
done >"$root/users"
cat >"$root/mail/folded/.dovecot.sieve" <<'SIEVE'
require ["duplicate"];
if duplicate { discard; stop; }
SIEVE
chown -R mail:mail "$root/mail"
cat >"$root/dovecot.conf" <<CONF
base_dir = $root/dovecot.pid
state_dir = $root/dovecot.pid
instance_name = real-mail-$$
protocols = imap lmtp
listen = 127.0.0.1
log_path = $root/dovecot.log
ssl = yes
ssl_cert = <$root/server.pem
ssl_key = <$root/server.key
auth_mechanisms = plain login
auth_username_format = %n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
mail_home = $root/mail/%n
mail_location = maildir:~/Maildir
passdb {
  driver = passwd-file
  args = username_format=%n $root/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=$root/mail/%n allow_all_users=yes
}
protocol lmtp {
  mail_plugins = sieve
  postmaster_address = postmaster@example.test
}
plugin {
  sieve = file:~/sieve;active=~/.dovecot.sieve
}
service imap-login {
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = $lmtp
  }
}
service auth {
  inet_listener auth {
    address = 127.0.0.1
    port = $auth
  }
}
CONF
dovecot -c "$root/dovecot.conf" 2>>"$root/dovecot.log" || die "Dovecot does not start"

say "Postfix: submission on $smtp"
mkdir -p "$root/postfix" "$root/queue" "$root/data"
chown postfix "$root/data"
printf '%s x\n' reader@example.test desk@example.test folded@example.test >"$root/postfix/known"
cat >"$root/postfix/main.cf" <<CONF
compatibility_level = 3.6
queue_directory = $root/queue
data_directory = $root/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = $root/postfix.log
maillog_file_prefixes = $root
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost.example.test
mydestination =
mynetworks =
alias_maps =
alias_database =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = texthash:$root/postfix/known
virtual_transport = lmtp:inet:127.0.0.1:$lmtp
lmtp_destination_recipient_limit = 1
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = $root/server.pem
smtpd_tls_key_file = $root/server.key
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:$auth
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtputf8_enable = no
CONF
cat >"$root/postfix/master.cf" <<CONF
127.0.0.1:$smtp inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
tlsmgr    unix - - n 1000? 1 tlsmgr
smtp      unix - - n - - smtp
lmtp      unix - - n - - lmtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
CONF
postfix -c "$root/postfix" start >>"$root/postfix.log" 2>&1 || die "Postfix does not start"

mailbox() { what=$1; shift; python3 "$here/real_mail/mailbox.py" "$what" localhost "$@"; }
count() { mailbox count "$imap" "$root/ca.pem" $password "$1" || echo -1; }
# until USER has COUNT messages: delivery goes on after burdenwatch's part is done
await() {
    for _ in $(seq 100); do
        if [ "$(count "$1")" -ge "$2" ]; then return 0; fi
        sleep 0.1
    done
    die "$1 has fewer than $2 messages"
}
drained() {
    for _ in $(seq 100); do
        [ -n "$(find "$root/queue/incoming" "$root/queue/active" -type f)" ] || return 0
        sleep 0.1
    done
    die "Postfix still holds mail"
}

say "a duplicate and an unknown recipient, by a Python client"
mailbox send "$smtp" "$root/ca.pem" $password 2 reader@example.test folded@example.test unknown@example.test \
    >"$root/sent.log" || die "the client could not send"
cat "$root/sent.log"
[ "$(grep -c accepted "$root/sent.log")" = 4 ] || die "four messages should have been accepted"
[ "$(grep -c 'unknown.*: 550' "$root/sent.log")" = 2 ] || die "the unknown recipient should have been refused"
await reader 2
await folded 1
drained
[ "$(count folded)" = 1 ] || die "Sieve did not fold the duplicate"
rm -rf "$root"/mail/*/Maildir
say "the servers work, and Sieve folds a duplicate"
[ -z "${SERVERS_ONLY:-}" ] || { say "PASSED (servers only)"; exit 0; }

[ -x "$burdenwatch" ] || die "$burdenwatch is ABSENT: build it, or name it in BURDENWATCH"
[ -d "$folder" ] || die "$folder is ABSENT: name a directory of feed documents"
say "nginx: $folder on $http"
mkdir -p "$root/feeds"
cp -R "$folder/." "$root/feeds/"
chmod -R a+rX "$root/feeds"
cat >"$root/nginx.conf" <<CONF
user www-data;
pid $root/nginx.pid;
error_log $root/nginx.log;
events {}
http {
  types { application/rss+xml rss xml; application/atom+xml atom; application/feed+json json; }
  access_log off;
  client_body_temp_path $root/nginx-1;
  proxy_temp_path $root/nginx-2;
  fastcgi_temp_path $root/nginx-3;
  uwsgi_temp_path $root/nginx-4;
  scgi_temp_path $root/nginx-5;
  server { listen 127.0.0.1:$http; root $root/feeds; }
}
CONF
nginx -c "$root/nginx.conf" -e "$root/nginx.log" || die "nginx does not start"

{
    cat <<CONF
[service]
state_dir = "$root/state"
[polling]
allow_networks = ["127.0.0.0/8"]
host_gap = "0s"
[mail]
transport = "smtp"
from = "burdenwatch <watch@example.test>"
[mail.smtp]
host = "localhost"
port = $smtp
security = "starttls"
username = "watch"
password_file = "$root/password"
[[subscription]]
name = "real-mail"
to = ["desk@example.test", "unknown@example.test", "reader@example.test"]
alert_wait = "0s"
digest = { at = "00:00" }
CONF
    (cd "$root/feeds" && find . -type f | sort) | while read -r file; do
        file=${file#./}
        printf '[[feed]]\nname = "%s"\nurl = "http://127.0.0.1:%s/%s"\n' "$file" "$http" "$file"
    done
} >"$root/burdenwatch.toml"
printf '%s' $password >"$root/password"
chmod 600 "$root/password"

run() { SSL_CERT_FILE=$root/ca.pem "$burdenwatch" -c "$root/burdenwatch.toml" "$@"; }
# a refused recipient may make `run --once` end with 1; anything else is a failure
once() { run run --once --all >>"$root/burdenwatch.log" 2>&1 || [ $? = 1 ] || die "burdenwatch run --once --all"; }
run check --online >"$root/check.log" 2>&1 || say "note: check --online is not content: $(tail -n 3 "$root/check.log")"
once
# the digest, so that there is a mail whatever the age of the items
run digest send real-mail >>"$root/burdenwatch.log" 2>&1 || [ $? = 1 ] || die "digest send"
await desk 1
await reader 1
drained
before=$(count desk)
once
drained
after=$(count desk)
[ "$before" = "$after" ] || die "the second run mailed again: $before messages, then $after"
for user in desk reader; do
    mailbox check "$imap" "$root/ca.pem" $password $user 1 || die "$user's mailbox"
done
[ "$(count reader)" = "$after" ] || die "desk and reader differ"
say "PASSED: $after messages each for desk and reader; the unknown recipient harmed nobody"
