# Reference numbers of tests/gaps/consistency (R 4.2, lme4 1.1-31). Run in this folder: Rscript consistency.R
# crossed.csv is made up (seeded draws); penicillin.csv is lme4's `Penicillin`
# (O. L. Davies, P. L. Goldsmith (1972). Statistical Methods in Research and Production, 4th ed.).
library(lme4)
options(digits = 10)
ctrl <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9), calc.derivs = FALSE)
show <- function(fit) { print(as.data.frame(VarCorr(fit))[, c("grp", "vcov")]); print(REMLcrit(fit)) }

show(lmer(Yield ~ 1 + (1 | Batch), Dyestuff, control = ctrl))
pen <- read.csv("penicillin.csv", stringsAsFactors = TRUE)
fit <- lmer(diameter ~ 1 + (1 | plate) + (1 | sample), pen, control = ctrl)
show(fit)
crossed <- read.csv("crossed.csv", stringsAsFactors = TRUE)
show(lmer(value ~ 1 + (1 | item) + (1 | unit) + (1 | wave) + (1 | respondent_id), crossed, control = ctrl))
show(lmer(value ~ 1 + (1 | item) + (1 | touchpoint) + (1 | unit) + (1 | wave) + (1 | respondent_id),
          crossed, control = ctrl))

# profile of the share of `sample` in the total variance: theta = standard deviations over sigma
dev <- lmer(diameter ~ 1 + (1 | plate) + (1 | sample), pen, devFunOnly = TRUE)
at <- function(share) optimize(function(plate) dev(c(plate, sqrt(share / (1 - share) * (1 + plate^2)))),
                               c(0.01, 20), tol = 1e-10)$objective
best <- as.numeric(REMLcrit(fit)); depth <- qchisq(0.95, 1)
v <- as.data.frame(VarCorr(fit))$vcov
over <- function(share) at(share) - best - depth
print(c(v[2] / sum(v), uniroot(over, c(0.2, v[2] / sum(v)), tol = 1e-10)$root,
        uniroot(over, c(v[2] / sum(v), 0.999), tol = 1e-10)$root))
