#!/usr/bin/perl
# Runs a command on a machine that refuses Landlock, as an old kernel or the profile of a container does: every call of it
# ends with the error number given. Arguments: the number, the command.

use strict;
use warnings;
use Config;

my $error = shift @ARGV;
my $is_arm = $Config{archname} =~ /aarch64/;
my ($prctl, $seccomp) = $is_arm ? (167, 277) : (157, 317);
# Load the number of the call; equal to 444, 445 or 446: that error; else allowed.
my @program = (
    [0x20, 0, 0, 0], [0x15, 2, 0, 444], [0x15, 1, 0, 445], [0x15, 0, 1, 446],
    [0x06, 0, 0, 0x00050000 + $error], [0x06, 0, 0, 0x7fff0000],
);
my $filter = join '', map { pack('SCCL', @$_) } @program;
syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
syscall($seccomp, 1, 0, pack('Sx6P', scalar @program, $filter)) == 0 or die "seccomp: $!";
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!";
