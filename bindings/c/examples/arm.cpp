// A lock whose owner is killed: the next one gets it at once, is told, and puts right what it protects.
#include <memlane.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

struct Joints {
    double left;
    double right;
};
MEMLANE_DESCRIBE(Joints, left, right);

int main() {
    memlane::Event in_the_middle("robot/middle");
    in_the_middle.clear(); // What was set in an earlier run stays set.
    const pid_t careless = fork();
    if (careless == 0) {
        memlane::Lock arm("robot/arm");
        memlane::Array<double> joints("robot/joints", 2);
        memlane::LockGuard guard = arm.acquire();
        joints.store(0, joints.load(0) + 1.0); // and the other one would follow
        in_the_middle.set();
        pause();
    }
    in_the_middle.wait();
    kill(careless, SIGKILL);
    waitpid(careless, nullptr, 0);

    memlane::Lock arm("robot/arm");
    memlane::Array<double> joints("robot/joints", 2);
    memlane::LockGuard guard = arm.acquire();
    const bool died = guard.owner_died();
    if (died) {
        std::printf("its owner died with the joints at %.0f and %.0f\n", joints.load(0), joints.load(1));
        joints.store(1, joints.load(0));
        guard.make_consistent();
    }
    std::printf("the joints are at %.0f and %.0f\n", joints.load(0), joints.load(1));
    return died && joints.load(0) == joints.load(1) ? 0 : 1;
}
