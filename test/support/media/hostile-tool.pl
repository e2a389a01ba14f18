#!/usr/bin/perl
# What a program could try that has taken over a media tool. Run in its place, with the task behind `--hostile`:
#
#   attack DATA WORKER PORT SOCKET INPUT OUTPUT   tries everything once, prints a line `name: done|refused` for each
#   fork | threads | memory | loop                takes without end
#
# DATA is the data folder of the service, WORKER the id of the worker's process, PORT a listener on loopback, SOCKET a
# listener in the file system. Arguments before `--hostile` are what the worker wanted of the tool.

use strict;
use warnings;
use Config;
use Fcntl;
use Socket;

shift @ARGV while @ARGV && $ARGV[0] ne '--hostile';
shift @ARGV;
$| = 1;
my $task = shift @ARGV // '';

if ($task eq 'loop') { 1 while 1 }
if ($task eq 'memory') {
    my @held;
    push @held, 'x' x (64 * 1024 * 1024) while @held < 64;
    print "4 GiB taken\n";
    exit 0;
}
if ($task eq 'fork') {
    my $children = 0;
    for (1 .. 200) {
        my $pid = fork;
        last if !defined $pid;
        if ($pid == 0) { sleep 60; exit 0 }
        $children++;
    }
    print "$children children\n";
    exit 0;
}
exit 64 if $task ne 'attack';

my ($data, $worker, $port, $socket, $input, $output) = @ARGV;
# Without a fence all of this works: it is to hit nothing but the folder of a test.
exit 64 if index($output, "$data/") != 0;
my ($scratch) = $output =~ m{^(.*)/};
my %numbers = (
    ptrace    => [101, 117],
    pidfd     => [434, 434],
    prlimit64 => [302, 261],
    prctl     => [157, 167],
    memfd     => [319, 279],
    io_uring  => [425, 425],
    unshare   => [272, 97],
    keyctl    => [250, 219],
);
my $at = $Config{archname} =~ /aarch64/ ? 1 : 0;
my $raw = sub { my $name = shift; syscall($numbers{$name}[$at], @_) != -1 };
my $reads = sub {
    my ($path) = @_;
    open(my $file, '<', $path) or return 0;
    my $first = '';
    return sysread($file, $first, 16) // 0;
};
my $makes = sub { sysopen(my $file, $_[0], O_WRONLY | O_CREAT) };
my $leaves = sub { $makes->($_[0]) && unlink($_[0]) };
my $connects = sub {
    my ($domain, $address) = @_;
    socket(my $to, $domain, SOCK_STREAM, 0) or return 0;
    return !defined $address || connect($to, $address);
};

my @attacks = (
    'reads the secrets'                 => sub { $reads->("$data/secrets.json") },
    'reads another upload'              => sub { $reads->("$data/objects/another") },
    'lists the data folder'             => sub { opendir(my $folder, $data) },
    'lists the scratch folder'          => sub { opendir(my $folder, $scratch) },
    'reads the environment of its worker' => sub { $reads->("/proc/$worker/environ") },
    'reads the command line of its worker' => sub { $reads->("/proc/$worker/cmdline") },
    'reads the memory map of its worker' => sub { $reads->("/proc/$worker/maps") },
    'lists processes'                   => sub { opendir(my $folder, '/proc') },
    'reads its own environment'         => sub { $reads->('/proc/self/environ') },
    'reads the users'                   => sub { $reads->('/etc/passwd') },
    'writes beside the data'            => sub { $makes->("$data/written") },
    'writes in /tmp'                    => sub { $leaves->("/tmp/written-by-a-hostile-tool.$$") },
    'writes in shared memory'           => sub { $leaves->("/dev/shm/written-by-a-hostile-tool.$$") },
    'writes another name in its scratch' => sub { $makes->("$scratch/another") },
    'makes a link to the secrets'       => sub { symlink("$data/secrets.json", "$scratch/link") },
    'replaces its output by a link'     => sub { unlink($output) && symlink("$data/secrets.json", $output) },
    'makes a hard link to the input'    => sub { link($input, "$scratch/hard") },
    'makes a folder'                    => sub { mkdir("$scratch/folder") },
    'moves its output'                  => sub { rename($output, "$scratch/moved") },
    'writes into its input'             => sub { sysopen(my $file, $input, O_WRONLY) },
    'empties its input'                 => sub { sysopen(my $file, $input, O_RDONLY | O_TRUNC) },
    'shortens the secrets'              => sub { truncate("$data/secrets.json", 0) },
    'opens the secrets to all'          => sub { chmod(0666, "$data/secrets.json") },
    'dates its input back'              => sub { utime(1, 1, $input) },
    'gives its input away'              => sub { chown(65534, 65534, $input) },
    'removes its input'                 => sub { unlink($input) },
    'connects to a port'                => sub { $connects->(AF_INET, pack_sockaddr_in($port, INADDR_LOOPBACK)) },
    'connects to a socket in the file system' => sub { $connects->(AF_UNIX, pack_sockaddr_un($socket)) },
    'has a socket for packets'          => sub { socket(my $to, AF_INET, SOCK_DGRAM, 0) },
    'has a socket for IPv6'             => sub { $connects->(AF_INET6) },
    'has a socket of the kernel'        => sub { socket(my $to, 16, SOCK_RAW, 0) },
    'signals its worker'                => sub { kill(0, $worker) },
    'leaves its session'                => sub { my $pid = fork; defined $pid && ($pid == 0 ? exit : 1) },
);
push @attacks, (
    'traces its worker'                 => sub { $raw->('ptrace', 16, $worker + 0, 0, 0) && $raw->('ptrace', 17, $worker + 0, 0, 0) },
    'opens its worker as a handle'      => sub { $raw->('pidfd', $worker + 0, 0) },
    'reads the limits of its worker'    => sub { my $now = "\0" x 16; $raw->('prlimit64', $worker + 0, 7, 0, $now) },
    'changes the priority of its worker' => sub { setpriority(0, $worker, 19) },
    'outlives its worker'               => sub { $raw->('prctl', 1, 0, 0, 0, 0) },
    'has memory beside its limit'       => sub { my $name = "x\0"; $raw->('memfd', $name, 0) },
    'has a ring of calls'               => sub { my $ring = "\0" x 120; $raw->('io_uring', 1, $ring) },
    'has a user namespace'              => sub { $raw->('unshare', 0x10000000) },
    'has a mount namespace'             => sub { $raw->('unshare', 0x20000) },
    'has keys'                          => sub { $raw->('keyctl', 0, -3, 0) },
);

while (my ($name, $try) = splice(@attacks, 0, 2)) {
    my $done = eval { $try->() };
    print "$name: ", ($done ? 'done' : 'refused'), "\n";
}
# What it is there for has to go on working.
print 'reads its input: ', ($reads->($input) ? 'done' : 'refused'), "\n";
my $made = sysopen(my $file, $output, O_WRONLY | O_TRUNC | O_CREAT);
$made &&= syswrite($file, 'made');
print 'writes its output: ', ($made ? 'done' : 'refused'), "\n";
