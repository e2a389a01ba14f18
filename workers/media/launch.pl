# Isolates itself, then executes one media tool in the same process: limits, Landlock (file access), seccomp (system
# calls), no privileges, and an end with the worker. None of this needs a namespace or a privilege, so it works for any
# user, in a container and in a chroot. Perl, because Debian and Ubuntu always have it and it can make plain system calls;
# sandbox.ts decides everything and calls this with
#
#   arch=x64|arm64 parent=PID nice=1…19 as=BYTES cpu=SECONDS fsize=BYTES
#   [landlock=1 tree=PATH… exec=PATH… read=PATH… write=PATH…] [filter=HEX] -- TOOL ARGUMENT…
#
# Exit 125: isolation failed, and the tool was not started. 127: the tool cannot be started.

use strict;
use warnings;

my %CALLS = (
    x64   => { prctl => 157, capset => 126, prlimit64 => 302, ioprio_set => 251, seccomp => 317 },
    arm64 => { prctl => 167, capset => 91,  prlimit64 => 261, ioprio_set => 30,  seccomp => 277 },
);

my (%one, %paths);
while (@ARGV) {
    my $argument = shift @ARGV;
    last if $argument eq '--';
    my ($name, $value) = split /=/, $argument, 2;
    if ($name =~ /^(?:tree|exec|read|write)$/) { push @{ $paths{$name} }, $value }
    else                                       { $one{$name} = $value }
}
my $call = $CALLS{ $one{arch} } or refuse("no fence for $one{arch}");

sub refuse {
    my ($what) = @_;
    print STDERR "launch: $what\n";
    exit 125;
}

sub must {
    my ($what, $number, @arguments) = @_;
    my $result = syscall($number, @arguments);
    refuse("$what: $!") if $result == -1;
    return $result;
}

# The tool ends with the worker (1 = PR_SET_PDEATHSIG): otherwise an old ffmpeg would run beside the next one.
must('end with the parent', $call->{prctl}, 1, 9, 0, 0, 0);
refuse('the worker is gone') if getppid() != $one{parent};

# Lower priority than uploads; when memory runs out, the kernel kills the tool before the service. If that is refused,
# the tool still runs. Where the kernel groups processes by session (sched(7), "The autogroup feature"), nice values count only
# within a group. The tool has a session of its own, so the group gets the value as well.
setpriority(0, 0, $one{nice});
if (open(my $group, '>', '/proc/self/autogroup')) { syswrite($group, $one{nice}); close($group) }
syscall($call->{ioprio_set}, 1, 0, 3 << 13);
if (open(my $score, '>', '/proc/self/oom_score_adj')) { syswrite($score, '800'); close($score) }

# 38 = PR_SET_NO_NEW_PRIVS: set-uid programs get no privileges from here on; Landlock and seccomp require it.
must('no new privileges', $call->{prctl}, 38, 1, 0, 0, 0);
restrict_files() if $one{landlock};
drop_capabilities();
limit_resources();
filter_calls() if $one{filter};

%ENV = map { $_ => $ENV{$_} } grep { exists $ENV{$_} } qw(PATH LANG HOME TMPDIR);
exec { $ARGV[0] } @ARGV or do { print STDERR "launch: $ARGV[0]: $!\n"; exit 127 };

# Landlock: files that are not named below can be neither read nor written. The call numbers are the same on all architectures.
sub restrict_files {
    my $abi = syscall(444, 0, 0, 1);
    refuse("Landlock: $!") if $abi < 1;
    my ($execute, $write, $read, $list, $truncate) = (1, 2, 4, 8, 1 << 14);
    my $known = $abi >= 5 ? 0xffff : $abi >= 3 ? 0x7fff : $abi == 2 ? 0x3fff : 0x1fff;
    # Since ABI 4 also TCP, since 6 also signals and abstract sockets; the seccomp filter refuses them too.
    my $rules = pack('QQQ', $known, $abi >= 4 ? 3 : 0, $abi >= 6 ? 3 : 0);
    my $ruleset = must('Landlock', 444, $rules, $abi >= 6 ? 24 : $abi >= 4 ? 16 : 8, 0);
    my %rights = (
        tree  => $execute | $read | $list,
        exec  => $execute | $read,
        read  => $read,
        write => $write | $read | $truncate,
    );
    for my $kind (sort keys %paths) {
        for my $path (@{ $paths{$kind} }) {
            # 0x80041: O_WRONLY | O_CREAT | O_CLOEXEC, and 0x20000 (x64) or 0x8000 (arm64): O_NOFOLLOW.
            my $new = 0x80041 | ($one{arch} eq 'x64' ? 0x20000 : 0x8000);
            # 0x280000: O_PATH | O_CLOEXEC.
            if (!sysopen(my $handle, $path, $kind eq 'write' ? $new : 0x280000, 0600)) {
                refuse("$path: $!") if $kind ne 'tree';
            }
            else {
                my $allowed = $rights{$kind} & $known;
                $allowed &= ~$list if !-d $handle;
                my $rule = pack('Ql', $allowed, fileno($handle));
                must("Landlock: $path", 445, $ruleset, 1, $rule, 0);
                close($handle);
            }
        }
    }
    must('Landlock', 446, $ruleset, 0);
}

# Root loses all capabilities: those of the bounding set (24 = PR_CAPBSET_DROP, 23 reads it) and all current ones.
sub drop_capabilities {
    if ($> == 0) {
        for my $capability (0 .. 63) {
            next if syscall($call->{prctl}, 23, $capability, 0, 0, 0) < 1;
            must('drop privileges', $call->{prctl}, 24, $capability, 0, 0, 0);
        }
    }
    # 0x20080522: the version of the structure.
    must('drop privileges', $call->{capset}, pack('Ll', 0x20080522, 0), pack('L6', (0) x 6));
}

sub limit_resources {
    my $limit = sub {
        my ($what, $resource, $soft, $hard) = @_;
        must("limit of $what", $call->{prlimit64}, 0, $resource, pack('QQ', $soft, $hard), 0);
    };
    $limit->('memory', 9, $one{as}, $one{as});
    # The soft limit sends SIGXCPU, so that it differs from the kernel's SIGKILL when memory runs out.
    $limit->('processor time', 0, $one{cpu}, $one{cpu} + 5);
    $limit->('files', 1, $one{fsize}, $one{fsize});
    $limit->('open files', 7, 256, 256);
    $limit->('core dumps', 4, 0, 0);
}

# 1 = SECCOMP_SET_MODE_FILTER. 4 = SPEC_ALLOW: without it kernels before 5.16 slow down the tool (speculation is disabled).
sub filter_calls {
    my $filter = pack('H*', $one{filter});
    must('seccomp', $call->{seccomp}, 1, 4, pack('Sx6P', length($filter) / 8, $filter));
}
