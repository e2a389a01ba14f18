# Runs isolated when a worker starts: tries each action that tools must not do, and prints the result. fence-proof.ts
# reads the lines `name: held|broken`. Arguments: a file in the data folder, the data folder, the worker's process id, the
# input, the output.

use strict;
use warnings;
use Fcntl;
use Socket;

my ($secret, $folder, $worker, $input, $output) = @ARGV;
my %tried = (
    'reads no other file'           => sub { open(my $file, '<', $secret) },
    'reads no environment'          => sub { open(my $file, '<', "/proc/$worker/environ") },
    'sees no process'               => sub { opendir(my $all, '/proc') },
    'writes nothing beside its work' => sub { sysopen(my $file, "$folder/fence-proof-written.$$", O_WRONLY | O_CREAT) },
    'changes no other file'         => sub { chmod(0644, $secret) },
    'has no network'                => sub { socket(my $to, AF_INET, SOCK_STREAM, 0) },
    'has no sockets on the machine' => sub { socket(my $to, AF_UNIX, SOCK_STREAM, 0) },
    'has no children'               => sub { my $pid = fork; exit if defined $pid && $pid == 0; defined $pid },
    'signals nobody'                => sub { kill(0, $worker) },
);
print "$_: ", ($tried{$_}->() ? 'broken' : 'held'), "\n" for sort keys %tried;

# What a tool must be able to do.
my $works = open(my $in, '<', $input) && sysopen(my $out, $output, O_WRONLY);
print 'reads and writes its own: ', ($works ? 'held' : 'broken'), "\n";
