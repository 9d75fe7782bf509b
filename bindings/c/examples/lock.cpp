// A lock whose owner is killed while it changes what the lock protects: the next one gets it at once, is told, and puts
// the data right.
//
//     c++ -std=c++17 lock.cpp $(pkg-config --cflags --libs memlane) -o lock && ./lock

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memlane.hpp>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Takes the lock, moves half of an amount from one account to the other, and dies.
static void die_in_the_middle() {
    const memlane::Lock lock("bank/lock");
    const memlane::Array<double> accounts("bank/accounts", 2);
    const auto guard = lock.acquire();
    accounts.store(0, accounts.load(0) - 50);
    raise(SIGKILL);
}

int main() try {
    const pid_t child = fork();
    if (child == 0) {
        die_in_the_middle();
    }
    waitpid(child, nullptr, 0);

    const memlane::Lock lock("bank/lock");
    const memlane::Array<double> accounts("bank/accounts", 2);
    const auto guard = lock.acquire();
    if (guard.owner_died()) {
        std::cout << "the owner died; found " << accounts.load(0) << " and " << accounts.load(1) << '\n';
        accounts.store(0, 0);
        accounts.store(1, 0);
        guard.make_consistent();
    }
    std::cout << "now there are " << accounts.load(0) << " and " << accounts.load(1) << '\n';
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
}
